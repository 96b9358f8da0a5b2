"""How values are written to the cache."""

import json

from django.core.serializers.json import DjangoJSONEncoder


class JSONSerializer:
    """Stores values as JSON; a number stays one, so INCR works on it."""

    def dumps(self, value):
        return json.dumps(value, cls=DjangoJSONEncoder)

    def loads(self, data):
        return json.loads(data)
