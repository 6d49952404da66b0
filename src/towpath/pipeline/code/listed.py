"""What names of Python and of libraries mean for a fingerprint: kinds of weakness, and which name is of which."""

from __future__ import annotations

from typing import NamedTuple


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
STATE = Weakness("outlasts the step in its process, where others see it", "make it in the step; a cache by `functools.cache`")

BUILTIN = {
    **dict.fromkeys(("eval", "exec", "__import__", "globals", "vars", "locals", "getattr", "setattr", "delattr"), LOOKS_UP),
    **dict.fromkeys(("open", "input"), READS),
    **dict.fromkeys(("hash", "id"), RANDOM),
}
VARIABLES = {"__doc__": OWN_TEXT, "__file__": OWN_TEXT, "__path__": OWN_TEXT, "__builtins__": LOOKS_UP}

# a dot at the end stands for all in it, a star for any ending of the last part; the longest that fits decides, and None is no weakness
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
    **dict.fromkeys(("psycopg.", "psycopg2.", "sqlalchemy.", "pymysql.", "redis.", "pymongo.", "smtplib."), OUTSIDE),
    **dict.fromkeys(
        ("secrets.", "uuid.uuid1", "uuid.uuid4", "os.urandom", "random.SystemRandom", "tensorflow.random.", "torch.seed"), RANDOM
    ),
    **dict.fromkeys(
        ("sklearn.datasets.fetch_*", "datasets.load_dataset", "huggingface_hub.", "torch.hub.", "torchvision.datasets."), OUTSIDE
    ),
    **dict.fromkeys(("openml.", "kaggle*", "nltk.download", "gensim.downloader.", "tensorflow_datasets.", "seaborn.load_dataset"), OUTSIDE),
    **dict.fromkeys(("google.cloud.", "azure.", "snowflake.", "elasticsearch.", "kafka.", "grpc.", "websocket*", "mlflow."), OUTSIDE),
    **dict.fromkeys(
        ("sklearn.datasets.load_files", "sklearn.datasets.load_svmlight_file*", "configparser.", "omegaconf.OmegaConf.load"), READS
    ),
    **dict.fromkeys(("hydra.", "xml.etree.ElementTree.iterparse", "xml.etree.ElementTree.parse"), READS),
    **dict.fromkeys(("lxml.etree.parse", "lxml.etree.iterparse", "xml.dom.*", "openpyxl.load_workbook", "xlrd.", "deltalake."), READS),
    **dict.fromkeys(("pyiceberg.", "lancedb.", "lance.", "zarr.open*", "xarray.open_*", "netCDF4.", "rasterio.open", "fiona."), READS),
    **dict.fromkeys(("soundfile.read", "librosa.load", "cv2.VideoCapture", "scipy.io.", "skimage.io.", "pyreadstat.", "spacy.load"), READS),
    **dict.fromkeys(("pyarrow.csv.", "pyarrow.feather.", "pyarrow.orc.", "pyarrow.fs.", "pyarrow.memory_map", "pyarrow.OSFile"), READS),
    **dict.fromkeys(("onnx.load*", "onnxruntime.InferenceSession", "os.path.is*", "os.path.get*", "os.path.lexists"), READS),
    **dict.fromkeys(("os.path.samefile", "os.access", "os.lstat", "os.fwalk"), READS),
    **dict.fromkeys(("dotenv.", "decouple.", "environs.", "pydantic_settings.", "pydantic.BaseSettings"), MACHINE),
    **dict.fromkeys(("arrow.now", "arrow.utcnow", "pendulum.now", "pendulum.today", "pendulum.yesterday", "pendulum.tomorrow"), CLOCK),
    **dict.fromkeys(("inspect.", "sys._getframe", "traceback."), OWN_TEXT),
    **dict.fromkeys(("inspect.isclass", "inspect.isfunction", "inspect.signature", "inspect.Parameter", "traceback.print_exc"), None),
}
METHODS = {
    **dict.fromkeys(("read_text", "read_bytes", "iterdir", "glob", "rglob", "expanduser", "is_file", "is_dir"), READS),
    **dict.fromkeys(("scan_csv", "scan_parquet", "scan_ipc", "scan_ndjson", "scan_delta", "scan_iceberg", "fetchall", "fetchone"), READS),
    **dict.fromkeys(("__subclasses__", "__getattribute__"), LOOKS_UP),
    **dict.fromkeys(("urlopen", "urlretrieve", "from_pretrained", "hf_hub_download"), OUTSIDE),
    "load_model": READS,
}
ATTRIBUTES = {"__doc__": OWN_TEXT, "__code__": OWN_TEXT, "co_firstlineno": OWN_TEXT, "__dict__": LOOKS_UP, "__globals__": LOOKS_UP}
OF_PATHS = {
    **dict.fromkeys(("exists", "stat", "lstat", "samefile", "is_symlink", "readlink", "owner"), READS),
    **dict.fromkeys(("resolve", "absolute"), MACHINE),
}  # in modules that import pathlib, as others have methods of these names
SETTINGS = ("pandas.set_option", "polars.Config.set_", "torch.set_", "numpy.seterr", "os.chdir", "os.putenv", "locale.setlocale")
NOW = {"pandas.Timestamp", "pandas.to_datetime", "numpy.datetime64"}  # of the texts "now" and "today"
_GENERATORS = ("default_rng", "RandomState", "SeedSequence", "PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64")
SEEDED_BY = {f"numpy.random.{name}" for name in _GENERATORS} | {"random.Random"}
DRAWS = ("numpy.random.", "random.", "torch.rand", "torch.normal", "torch.bernoulli", "torch.multinomial", "torch.nn.")
RESEEDS = {"numpy.random.seed", "random.seed"}  # with nothing: anew from the machine
SETS_SEED = {"numpy.random.seed", "random.seed", "numpy.random.Generator"}


def listed(whole: str) -> Weakness | None:
    """What a whole name such as ``numpy.load`` is of: by the longest entry that fits."""
    parts = whole.split(".")
    for end in range(len(parts), 0, -1):
        begin = ".".join(parts[:end])
        if begin in _DOTTED:
            return _DOTTED[begin]
        starred = [one for one in _STARRED if begin.startswith(one[:-1]) and one.count(".") == end - 1]
        if starred:
            return _DOTTED[max(starred, key=len)]
        if end < len(parts) and f"{begin}." in _DOTTED:
            return _DOTTED[f"{begin}."]
    return None


_STARRED = [one for one in _DOTTED if one.endswith("*")]
