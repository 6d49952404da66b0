"""Where steps execute: in this process, in workers on this machine."""
