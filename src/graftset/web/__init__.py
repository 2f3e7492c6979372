"""The review application: FastAPI and Jinja2, one small script without a build step, nothing from elsewhere.

serving.py    starting it
app.py        the application: routes in, safety around them
safety.py     hosts, origins, the token, limits, headers
failures.py   one shape for every error
requests.py   forms and who sent them
reading.py    routes that show something
writing.py    routes that change something
room.py       what is kept in memory beside the review's desk
facts.py      what the filter knows of a candidate
filters.py    PURE  the filter language
orders.py     PURE  orders of the sheet
keys.py       what each key does
pictures.py   pictures by hash
contexts.py   what each page shows, as typed objects; parts.py holds their pieces
pages/        one file for each page: what is known -> its context
rendering.py  templates
"""

from graftset.web.app import create_app
from graftset.web.serving import serve

__all__ = ["create_app", "serve"]
