"""``python -m leadflow_assets.cli`` is ``leadflow``."""

import sys

from leadflow_assets.cli.app import main

sys.exit(main())
