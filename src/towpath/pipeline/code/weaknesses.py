"""What a step's result may depend on and its fingerprint cannot know: each place by its line, with the way to declare it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

from towpath.pipeline.code.syntax import Piece


class Weakness(NamedTuple):
    """A kind of dependence that is not followed, and what a person can do about it."""

    what: str
    mend: str


LOOKS_UP = Weakness("looks something up while running, which is not followed", "import what may be meant, and choose from a dict of it")
READS = Weakness("may read what is not among the step's inputs", "declare it as a dataset under `data:` and take that as a parameter")
MACHINE = Weakness("depends on the machine or the environment", "take the value as a keyword-only parameter")
CLOCK = Weakness("depends on the time at which it runs", "take the time as a keyword-only parameter")
OUTSIDE = Weakness("asks something outside this process", "keep what it answers as a dataset and take that as a parameter")
RANDOM = Weakness("may draw without a known seed", "give it a seed, as a keyword-only parameter or a constant")
EARLY = Weakness("draws on import, before the step's seed is set", "draw inside the step")
OWN_TEXT = Weakness("reads the code's own text or place, of which the fingerprint knows the syntax tree only", "write it as a constant")
STATE = Weakness("is bound anew while running, and kept until the process ends", "return the value, and take it as a parameter")

_BUILTIN = {
    **dict.fromkeys(("eval", "exec", "__import__", "globals", "vars", "locals", "getattr", "setattr", "delattr"), LOOKS_UP),
    **dict.fromkeys(("open", "input"), READS),
    **dict.fromkeys(("hash", "id"), RANDOM),
}
_VARIABLES = {"__doc__": OWN_TEXT, "__file__": OWN_TEXT, "__path__": OWN_TEXT, "__builtins__": LOOKS_UP}

# a name with a dot at its end stands for all in it; the longest that fits decides, and None is no weakness
_DOTTED: dict[str, Weakness | None] = {
    **dict.fromkeys(("importlib.", "runpy.", "pkgutil.", "sys.modules", "gc.", "polars.sql"), LOOKS_UP),
    **dict.fromkeys(("io.open", "os.listdir", "os.scandir", "os.walk", "os.stat", "os.open", "os.readlink", "os.path.exists"), READS),
    **dict.fromkeys(("os.path.getsize", "os.path.getmtime", "os.path.isfile", "os.path.isdir", "glob.", "codecs.open"), READS),
    **dict.fromkeys(("importlib.resources.", "pkgutil.get_data", "gzip.open", "bz2.open", "lzma.open", "zipfile.", "tarfile."), READS),
    **dict.fromkeys(("shelve.open", "dbm.", "sqlite3.", "h5py.", "mmap.", "fileinput.", "linecache."), READS),
    **dict.fromkeys(
        ("numpy.load", "numpy.loadtxt", "numpy.genfromtxt", "numpy.fromfile", "numpy.memmap", "joblib.load", "torch.load"), READS
    ),
    **dict.fromkeys(("PIL.Image.open", "cv2.imread", "imageio.", "pyarrow.dataset.", "pyarrow.parquet.", "duckdb.", "sys.stdin"), READS),
    **dict.fromkeys(
        ("os.environ", "os.environb", "os.getenv", "os.getcwd", "os.cpu_count", "os.getlogin", "os.getpid", "os.uname"), MACHINE
    ),
    **dict.fromkeys(("os.path.expanduser", "os.path.abspath", "os.path.realpath", "sys.argv", "sys.path", "sys.executable"), MACHINE),
    **dict.fromkeys(
        ("platform.", "locale.", "getpass.", "socket.gethostname", "multiprocessing.cpu_count", "tempfile.gettempdir"), MACHINE
    ),
    **dict.fromkeys(("pathlib.Path.cwd", "pathlib.Path.home", "psutil.", "resource.", "site.", "sysconfig."), MACHINE),
    **dict.fromkeys(
        ("time.", "datetime.datetime.now", "datetime.datetime.today", "datetime.datetime.utcnow", "datetime.date.today"), CLOCK
    ),
    **dict.fromkeys(("pandas.Timestamp.now", "pandas.Timestamp.today", "pandas.Timestamp.utcnow"), CLOCK),
    **dict.fromkeys(("time.sleep", "time.struct_time", "time.strptime", "time.mktime"), None),
    **dict.fromkeys(
        ("subprocess.", "os.system", "os.popen", "os.spawnv", "socket.", "urllib.request.", "http.client.", "ftplib."), OUTSIDE
    ),
    **dict.fromkeys(
        ("requests.", "httpx.", "aiohttp.", "urllib3.", "boto3.", "s3fs.", "gcsfs.", "fsspec.", "obstore.", "paramiko."), OUTSIDE
    ),
    **dict.fromkeys(
        ("psycopg.", "psycopg2.", "sqlalchemy.", "pymysql.", "redis.", "pymongo.", "smtplib.", "sklearn.datasets.fetch"), OUTSIDE
    ),
    **dict.fromkeys(("secrets.", "uuid.uuid1", "uuid.uuid4", "os.urandom", "random.SystemRandom", "torch.rand", "torch.normal"), RANDOM),
    **dict.fromkeys(("torch.bernoulli", "torch.multinomial", "tensorflow.random.", "jax.random.PRNGKey"), RANDOM),
    **dict.fromkeys(("inspect.", "sys._getframe", "traceback."), OWN_TEXT),
    **dict.fromkeys(("inspect.isclass", "inspect.isfunction", "inspect.signature", "inspect.Parameter", "traceback.print_exc"), None),
}
_METHODS = {
    **dict.fromkeys(("read_text", "read_bytes", "iterdir", "glob", "rglob", "expanduser", "is_file", "is_dir"), READS),
    **dict.fromkeys(("scan_csv", "scan_parquet", "scan_ipc", "scan_ndjson", "scan_delta", "scan_iceberg", "fetchall", "fetchone"), READS),
    **dict.fromkeys(("__subclasses__", "__getattribute__"), LOOKS_UP),
    **dict.fromkeys(("urlopen", "urlretrieve"), OUTSIDE),
}
_ATTRIBUTES = {"__doc__": OWN_TEXT, "__code__": OWN_TEXT, "co_firstlineno": OWN_TEXT, "__dict__": LOOKS_UP, "__globals__": LOOKS_UP}
_SEEDED_BY = {"numpy.random.default_rng", "numpy.random.RandomState", "numpy.random.SeedSequence", "numpy.random.PCG64", "random.Random"}
_DRAWS = ("numpy.random.", "random.")
_SETS_SEED = {"numpy.random.seed", "random.seed", "numpy.random.Generator"}


def of(piece: Piece, *, is_step: bool = False) -> list[tuple[int, str]]:
    """Lines from 1, and what cannot be known there, in words.

    ``is_step``: its parameters are inputs, which the fingerprint knows: what is read from a folder among them is no weakness.
    """
    if piece.alone:
        return []
    found = (*_names(piece), *_calls(piece, is_step=is_step), *((piece.node.lineno, name, STATE) for name in sorted(piece.rebinds)))
    return sorted({(line, f"`{shown}` {weakness.what}: {weakness.mend}") for line, shown, weakness in found})


def _names(piece: Piece) -> Iterator[tuple[int, str, Weakness]]:
    """Whatever is mentioned, called or not."""
    for line, name, chain in piece.uses.places:
        shown = ".".join((name, *chain))
        whole = _whole(piece, name, chain)
        weakness = _listed(whole) if whole else _VARIABLES.get(name)
        for part in chain:
            weakness = weakness or _ATTRIBUTES.get(part)
        if weakness:
            yield line, shown, weakness


def _calls(piece: Piece, *, is_step: bool) -> Iterator[tuple[int, str, Weakness]]:
    for call, on_import in piece.uses.calls:
        name, chain = _called(call.func)
        whole = _whole(piece, name, chain)
        weakness = _of_call(piece, call, name, chain, whole, on_import=on_import)
        if (
            weakness
            and not (whole and _listed(whole))
            and not (is_step and weakness is READS and _mentions(call, _from_parameters(piece.node)))
        ):
            yield call.lineno, chain[-1] if chain else name, weakness


def _of_call(piece: Piece, call: ast.Call, name: str, chain: tuple[str, ...], whole: str, *, on_import: bool) -> Weakness | None:
    if not chain and not whole:
        is_plain = name in ("getattr", "setattr", "delattr") and len(call.args) > 1 and isinstance(call.args[1], ast.Constant)
        return None if is_plain or name in piece.module.binding else _BUILTIN.get(name)
    last = chain[-1] if chain else whole.rpartition(".")[2]
    if whole in ("operator.attrgetter", "operator.methodcaller"):
        return None if all(isinstance(one, ast.Constant) for one in call.args) else LOOKS_UP
    if whole in _SEEDED_BY:
        return None if call.args or call.keywords else RANDOM
    if whole.startswith(_DRAWS):
        return EARLY if on_import and whole not in _SETS_SEED else None
    if last in ("sample", "shuffle") and _loads(piece, "polars"):
        return None if {word.arg for word in call.keywords} & {"seed", "random_state", None} else RANDOM
    is_read = last.startswith("read_") and (not whole or whole.partition(".")[0] in ("polars", "pandas", "pyarrow", "geopandas", "dask"))
    return READS if is_read or (last == "open" and not whole) else _METHODS.get(last)


def _called(node: ast.expr) -> tuple[str, tuple[str, ...]]:
    chain: list[str] = []
    while isinstance(node, ast.Attribute):
        chain.insert(0, node.attr)
        node = node.value
    return node.id if isinstance(node, ast.Name) else "", tuple(chain)


def _whole(piece: Piece, name: str, chain: tuple[str, ...]) -> str:
    """``np.load`` as ``numpy.load``; empty where the name is not imported."""
    for one in (*piece.uses.later, *piece.module.imported):
        if one.name == name:
            return ".".join(filter(None, (*one.target, *chain)))
    return ""


def _listed(whole: str) -> Weakness | None:
    """By the longest entry that fits."""
    parts = whole.split(".")
    for end in range(len(parts), 0, -1):
        begin = ".".join(parts[:end])
        if begin in _DOTTED:
            return _DOTTED[begin]
        if end < len(parts) and f"{begin}." in _DOTTED:
            return _DOTTED[f"{begin}."]
    return None


def _loads(piece: Piece, library: str) -> bool:
    return any(one.loads.partition(".")[0] == library for one in (*piece.module.imported, *piece.uses.later))


def _mentions(node: ast.AST, names: set[str]) -> bool:
    return bool(names) and any(isinstance(inner, ast.Name) and inner.id in names for inner in ast.walk(node))


def _from_parameters(node: ast.stmt) -> set[str]:
    """The positional parameters of a step, and locals that are made from them."""
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return set()
    found = {one.arg for one in (*node.args.posonlyargs, *node.args.args)}
    while True:
        more = {name for source, target in _bindings(node) if _mentions(source, found) for name in _names_in(target)} - found
        if not more:
            return found
        found |= more


def _bindings(node: ast.AST) -> Iterator[tuple[ast.AST, ast.AST]]:
    """What is bound to what in a function: (source, target)."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Assign):
            yield from ((inner.value, target) for target in inner.targets)
        elif isinstance(inner, ast.AnnAssign | ast.NamedExpr) and inner.value:
            yield inner.value, inner.target
        elif isinstance(inner, ast.For | ast.AsyncFor | ast.comprehension):
            yield inner.iter, inner.target
        elif isinstance(inner, ast.withitem) and inner.optional_vars:
            yield inner.context_expr, inner.optional_vars


def _names_in(node: ast.AST) -> Iterator[str]:
    return (inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name))
