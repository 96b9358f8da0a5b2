"""Names of HTML elements, by what the two renderers do with them."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


VOID = _words("area base br col embed hr img input link meta source track wbr")
OPTIONAL_END = _words("p li td th tr dt dd thead tbody tfoot rt rp")
HEADINGS = _words("h1 h2 h3 h4 h5 h6")
CONTAINERS = HEADINGS | _words("ul ol li blockquote td th details summary dl dt dd")
BLOCKS = CONTAINERS | _words("p div section table thead tbody tr pre hr")
INLINE = _words("em strong del code sup sub mark ins kbd b i s u q samp var tt strike")

# What GitHub leaves in a page.
KEPT = _words(
    "a b blockquote br code dd del details div dl dt em h1 h2 h3 h4 h5 h6 hr i img ins kbd li mark ol p picture pre q "
    "rp rt ruby s samp section source span strike strong sub summary sup table tbody td tfoot th thead tr tt ul var"
)
# The attributes that GitHub leaves on them, and what <details> needs on the site.
ATTRIBUTES = _words(
    "align alt aria-label cite colspan datetime dir headers height href id lang markdown media name open rowspan scope "
    "span src srcset start title valign width"
)
# What no page may hold.
UNSAFE = _words(
    "script style iframe object embed form button textarea select option base link meta frame frameset applet svg math "
    "template noscript title xmp plaintext noembed noframes"
)
# What no extension of the site may make of a page either.
ACTIVE = _words("script style iframe object embed form base link meta")
# Blocks in which only GitHub renders Markdown.
MARKDOWN_FREE = _words("div p table section h1 h2 h3 h4 h5 h6 dl ul ol blockquote")
