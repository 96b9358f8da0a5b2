# The only door. Each target makes its own set-up; `make` lists them.
# PYTHON names the Python that makes the environment (3.11.5 or newer), PORT the port of the preview.
PYTHON ?= python3
VENV   ?= .venv
export VENV

.DEFAULT_GOAL := help
.PHONY: help setup serve site preview new test check jobboard measure listings blocks lint format pictures lock owners bench search parity lighthouse fresh newest links clean _python _site _check _test

ifeq ($(OS),Windows_NT)
RUN := $(VENV)/Scripts/python
else
RUN := $(VENV)/bin/python
endif

help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

##@ Read and write
serve: _site ## Show the site on http://127.0.0.1:8000/ and reload on save (PORT=9000 for another port)
	@$(RUN) -m tools.serve

new: _site ## Make the folder of a new page; asks for its kind and title (KIND=challenge TITLE="Lost updates")
	@$(RUN) -m tools.new_page

check: $(if $(PAGE),_test,_check) ## Check all pages; with PAGE=challenges/n-plus-one that one, its blocks and its tests too
	@$(RUN) -m tools.check $(PAGE)

listings: _site ## Fill the listings of all pages, and what is generated, from the files that they name
	@$(RUN) -m tools.listings && $(RUN) -m tools.generated

site: _site ## Build strictly into site/
	@$(RUN) -m tools.build

preview: _site ## Build into preview.zip, whose index.html opens by a double click, without a server
	@$(RUN) -m tools.preview

jobboard: _test ## Run the job board with seeded data: API, GraphiQL and OpenAPI pages on http://127.0.0.1:8001/
	@$(RUN) examples/jobboard/run_demo.py

##@ Prove
test: _test ## Run every test, in a real browser and on real servers too (PAGE=concepts/indexing for one page's)
	@$(RUN) -m tools.test $(PAGE)

lint: _test ## Check the style of the Python code
	@$(RUN) -m ruff check . && $(RUN) -m ruff format --check .

blocks: _test ## Run or lint every block of code that is no listing (PAGE=concepts/indexing for one page)
	@$(RUN) -m tools.verify $(PAGE)

measure: _test ## Measure what a page claims, on real servers (PAGE=challenges/n-plus-one; all pages without it)
	@$(RUN) -m tools.measure $(PAGE)

bench: _test ## Measure build, save-to-browser and memory beside bare Material and Zensical (BENCH="60 300 1000")
	@$(RUN) -m tools.bench $(BENCH)

search: _test ## Ask the search every query of tests/search, beside stock Material and Pagefind (SEARCH="--misses")
	@$(RUN) -m tools.search $(SEARCH)

parity: _test ## Build with ProperDocs and Zensical too, and compare what a reader gets
	@$(RUN) -m tools.parity $(if $(REPORT),--report $(REPORT))

lighthouse: _test ## Score the site with Lighthouse (needs Node 22.19 or newer)
	@$(RUN) -m tools.lighthouse

##@ Keep
setup: _test ## Download what writing, checking and testing need, a browser too; these later need no network
	@$(RUN) -m tools.browser

format: _test ## Format the Python code
	@$(RUN) -m ruff check --fix -q . ; $(RUN) -m ruff format .

pictures: _test ## Draw the screenshot of the README again
	@$(RUN) -m tools.pictures

lock: _test ## Resolve pyproject.toml into the lock files, with hashes (UPGRADE=1 for newer packages)
	@$(RUN) -m tools.lock

owners: _site ## Ask the owner of the repository about changes of the machinery, by CODEOWNERS (OWNER=@name)
	@$(RUN) -m tools.owners $(OWNER)

fresh: _test ## List packages newer than the locks, within what the pins allow, and support that ends soon
	@$(RUN) -m tools.fresh.packages

newest: _test ## Run every test on those newer packages, in a copy of the last commit (REPORT=file.json to keep what failed)
	@$(RUN) -m tools.fresh.packages --test $(REPORT)

links: _test ## Ask every link to another site whether it still answers
	@$(RUN) -m tools.fresh.links $(REPORT)

clean: ## Remove what the other targets made
	@rm -rf $(VENV) .cache site preview.zip test-results

_python:
	@command -v $(PYTHON) >/dev/null 2>&1 || { echo "No $(PYTHON) found. Install Python 3.11.5 or newer, or name one: make PYTHON=/path/to/python3" >&2; exit 1; }

_site: _python
	@$(PYTHON) tools/bootstrap.py requirements.txt

_check: _python
	@$(PYTHON) tools/bootstrap.py requirements.txt tools/prose/requirements.txt

_test: _python
	@$(PYTHON) tools/bootstrap.py requirements.txt tests/requirements.txt
