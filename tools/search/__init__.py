"""How well the site's search finds: one file of queries, three engines in one browser, and how big they are.

queries   tests/search/queries.tsv, read and checked
sites     the built sites that the engines search
engines   each engine answers the queries in a real browser, through the messages or calls that its own box uses
score     the rank of the right page -> success@1, success@3, MRR, zero results
report    the table, on the screen and on the page docs/reference/search/
sizes     bytes, memory and times at 1,000 pages
"""
