"""config.yaml: what a run is asked to be, checked as a whole before anything is read or fetched."""

from quant.config.model import Config as Config
from quant.config.reading import load as load
from quant.config.reading import parse as parse
from quant.config.reading import resolved as resolved
