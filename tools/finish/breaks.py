"""Places where a long name in a table may go on in the next line: behind `_`, `.`, `/`, `::` and `(`.

Without them a browser on a phone cuts `user_email_lower_case` wherever the column ends. Copied text stays the same.
"""

import re

from tools.finish.page import Page

CELL = re.compile(r"<td\b[^>]*>.*?</td>", re.S)
CODE = re.compile(r"(<code>)([^<]{12,})(</code>)")
JOINT = re.compile(r"(?<=[\w)])(_+|\.|/|::|\()(?=\w)")


def page(page: Page) -> None:
    def parted(match: re.Match) -> str:
        return match[1] + JOINT.sub(r"\1<wbr>", match[2]) + match[3]

    page.html = CELL.sub(lambda cell: CODE.sub(parted, cell[0]), page.html)
