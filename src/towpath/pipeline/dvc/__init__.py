"""The stages of a DVC project, as steps: `dvc.yaml` and `params.yaml` read, `dvc.lock` written."""
