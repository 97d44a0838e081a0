"""For a WSGI server of the operator's own: ``gunicorn ochp_chs.wsgi:app``.

Needs OCHP_CHS_DATABASE_URL and a migrated database; ``ochp-chs serve`` takes care of both itself.
"""

import os

from ochp_chs import logs
from ochp_chs.app import build_app
from ochp_chs.config import Settings

_settings = Settings.load()
logs.configure(_settings.log_level, _settings.log_format)
# gunicorn's workers are children of one master; of others it is not known.
_is_worker = os.environ.get("SERVER_SOFTWARE", "").startswith("gunicorn/")
app = build_app(_settings, has_other_workers=_is_worker)
