"""How a body becomes Python values."""

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser


class FlatEnoughJSONParser(JSONParser):
    """Refuses what nests too deeply for Python, which is no ValueError."""

    def parse(self, *args, **kwargs):
        try:
            return super().parse(*args, **kwargs)
        except RecursionError:
            # Without its cause: a thousand frames are of no use in a log.
            raise ParseError("This nests too deeply.") from None
