// Shows GraphiQL for the address of this page.
const cookie = (name) => document.cookie.split("; ")
  .find((pair) => pair.startsWith(`${name}=`))?.split("=")[1];

const fetcher = GraphiQL.createFetcher({
  url: window.location.pathname,
  // Who is signed in by session needs the CSRF token; others send the header
  // {"Authorization": "Bearer …"} from the tab below the query.
  fetch: (url, options) => fetch(url, {
    ...options,
    headers: { ...options.headers, "X-CSRFToken": cookie("csrftoken") ?? "" },
  }),
});

const query = `# Every list needs "first", from 1 to 50.
{
  jobs(first: 5) {
    edges { node { title company { name } skills { name } } }
  }
}
`;

ReactDOM.createRoot(document.getElementById("graphiql")).render(
  React.createElement(GraphiQL, { fetcher, defaultQuery: query }),
);
