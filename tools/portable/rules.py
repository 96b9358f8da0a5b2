"""The table of rules: what a page may not hold, why, and what to write in its place.

The rules here are patterns, looked for in every line of prose: code, comments, tags and addresses are masked before.
`{found}` and other names in braces are filled in by the check that reports.
"""

import re

from tools.portable.problem import Rule
from tools.portable.structure_rules import CODE, STRUCTURE

# fmt: off
PATTERNS = [
    # Blocks that only the site's extensions know
    Rule("admonition", "'{found}' admonition shows as text on GitHub",
          "write '> [!NOTE]' on a line of its own",
          re.compile(r"^\s*(?:!!!|\?\?\?\+?)(?=\s+[\"\w])")),
    Rule("content-tab", "'{found}' content tab shows as text on GitHub",
          "write a '####' heading, a table or <details markdown=\"1\"> for each variant",
          re.compile(r"^\s*===[+!]?\s+\".*")),
    Rule("block", "'{found}' block shows as text on GitHub",
          "write '> [!NOTE]' or <details markdown=\"1\">",
          re.compile(r"^\s*/{3,}(?=\s*(?:\w|$)).*")),
    Rule("snippet", "'{found}' is not included on GitHub",
          "write the code as a listing: a fence with title=\"path::symbol\"",
          re.compile(r"-+8<-+")),
    Rule("toc", "'{found}' shows as text; both renderers list the headings beside the page",
          "delete the line",
          re.compile(r"^\s*\[(?:TOC|\[_?TOC_?\])\]\s*$")),
    Rule("abbreviation", "'{found}' abbreviation shows as text",
          "explain the term in the sentence or link to the glossary",
          re.compile(r"^\s*\*\[[^\]]+\]:")),
    Rule("definition-list", "'{found}' definition list shows as text",
          "write a list item that starts with the term in bold, or a table",
          re.compile(r"^\s{0,3}:\s{1,3}\S.*")),
    Rule("macro", "'{found}' template code shows as text",
          f"write the value itself, {CODE}",
          re.compile(r"\{\{.*?\}\}|\{%.*?%\}")),
    # Inline marks
    Rule("attribute-list", "'{found}' attribute list shows as text on GitHub",
          "delete it; for a fixed anchor write <a id=\"name\"></a>",
          re.compile(r"\{:?\s*[.#][A-Za-z_][\w-]*(?:\s[^{}]*)?\}"
                     # An assignment in braces is one only right behind an element or at the end of a line.
                     r"|(?:(?<=[)\]*_>\x00])|^|(?<=\s)(?=[^{}]*\}\s*$))"
                     r"\{:?\s*[\w-]+=(?:\"[^\"]*\"|[\w%.-]+)(?:\s[^{}]*)?\}|\{:\s[^{}]*\}")),
    Rule("icon", "'{found}' icon is known to the site's theme only",
          "write a word or the Unicode character",
          re.compile(r":(?:material|fontawesome|octicons|simple)-[\w-]+:")),
    Rule("emoji", "'{found}' shortcode shows as text on the site",
          "write the Unicode character {emoji}",
          re.compile(r"(?<![\w:/]):[a-z0-9_+-]{2,50}:(?![\w:/])")),
    Rule("keys", "'{found}' shows as text",
          "write <kbd>Ctrl</kbd>+<kbd>C</kbd>",
          re.compile(r"(?<![\w+{])\+\+[\w\"'+-]+\+\+(?![\w+])")),
    Rule("mark", "'{found}' shows as text",
          f"write <mark>text</mark>, {CODE}",
          re.compile(r"(?<![\w=!<>{])==(?=[^\s=])[^=\n|]*(?<=[^\s=])==(?![\w=}])")),
    Rule("insert", "'{found}' shows as text",
          f"write <ins>text</ins>, {CODE}",
          re.compile(r"\^\^(?=[^\s^])[^^\n]*(?<=[^\s^])\^\^")),
    Rule("superscript", "'{found}' shows as text",
          f"write <sup>2</sup>, {CODE}",
          re.compile(r"(?<![\^\[\\])\^(?=[^\s^\d\[\]]|\d+\^(?!\d))[^\s^\[\]]+\^(?![\^\d])")),
    Rule("single-tilde", "'{found}' is struck out on GitHub and text on the site",
          f"write ~~text~~ or <sub>2</sub>, {CODE}",
          re.compile(r"(?<![~\\{])(?:(?<!\w)~(?![~\s])|~(?=[\w\x00]))[^~\n|]*(?:(?<=[\w\x00])~|(?<=[^\s\\~])~(?!\w))(?![~}])")),
    Rule("critic", "'{found}' critic markup shows as text",
          "write <ins> or ~~text~~",
          re.compile(r"\{(?:\+\+.*?\+\+|--.*?--|~~.*?~~|==.*?==|>>.*?<<)\}")),
    Rule("wiki-link", "'{found}' wiki link shows as text",
          "write [text](page.md)",
          re.compile(r"\[\[(?!_?TOC_?\])[^\[\]\n]+\]\](?![(\[:])")),
    Rule("smart-symbol", "'{found}' stays as typed",
          f"write the character (©, ™, ®, →, ←), {CODE}",
          re.compile(r"\([cC]\)(?=\s*\d{4})|(?<=\w)\((?:tm|TM|r|R)\)|(?<![\w<=-])(?:<--|-->|<-->|==>|<==|<==>)(?![\w>=-])")),
    Rule("tex-brackets", "'{found}' is a formula in neither renderer",
          f"write the formula in words or Unicode characters, {CODE}",
          re.compile(r"(?<!\\)(?<!\])\\\(.*?\\\)|(?<!\\)\\\[(?=[^\]\n]*[=^_+*/\\{}]).*?\\\]|^\s*\\\[\s*$")),
    Rule("math", "'{found}' is a formula on GitHub and text on the site",
          f"write it in words or Unicode characters, {CODE}",
          re.compile(r"(?<![\w\\$])\$(?![\s\d$])[^$\n|]*[^\s$\\|]\$(?![\w$])|^\s*\$\$.*|\$\$[^$\n]+\$\$")),
    Rule("dollar", "'{found}': GitHub can read two dollar signs as a formula",
          "write USD 5",
          re.compile(r"\$\d[^$\n|]*(?:\$(?=\d)|(?<=[^\s$])\$(?!\w))")),
]
# fmt: on

RULES = {rule.id: rule for rule in (*PATTERNS, *STRUCTURE)}
