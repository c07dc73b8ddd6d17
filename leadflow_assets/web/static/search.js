// The search page: the address holds the search; form, grid and map follow it.
import { ask, tell } from "page";
import { Grid } from "./search_grid.js";
import { SearchMap } from "./search_map.js";

const data = JSON.parse(document.getElementById("data").textContent);
const form = document.getElementById("filters");
const summary = document.getElementById("summary");
const actions = document.getElementById("actions");
const counted = new Intl.NumberFormat("en-US");
let shown = null; // the results on the page: their query, order and columns
let asking = null;

const grid = new Grid(document.getElementById("grid"), data.columns, {
  rows: (offset, sort) => ask(`/search/rows?${dataQuery(shown, sort)}&offset=${offset}`),
  sorted: (sort) => keep({ sort }),
  chosen: (row) => map.choose(row),
});
const map = new SearchMap(document.getElementById("map"), data, {
  places: (view, signal) => ask(`/search/places?${dataQuery(shown)}&${view}`, { signal }),
  chosen: (place) => grid.choose(place.rank, place.id),
  drawn: (areas) => { writeAreas(areas); search(); },
  picked: (place) => { writePlace(place); search(); },
});

// What the data requests carry: the search with its addresses found, its order and its columns.
function dataQuery(results, sort) {
  const query = new URLSearchParams(results.query);
  for (const key of sort ?? results.sort) query.append("sort", key);
  query.set("columns", results.columns.join(","));
  return query;
}

// What a person typed, without what is empty; the order and columns they chose stay.
function asked() {
  const query = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (value.trim()) query.append(name, value.trim());
  if (!query.has("near")) query.delete("radius");
  const now = new URLSearchParams(location.search);
  for (const name of ["sort", "columns"]) {
    for (const value of now.getAll(name)) {
      // Without a place there is no distance to sort by.
      if (name !== "sort" || !value.endsWith("distance") || query.has("near")) query.append(name, value);
    }
  }
  if (![...query.keys()].some((name) => name !== "sort" && name !== "columns")) query.set("all", "yes");
  return query;
}

async function search(query = asked(), { remember = true } = {}) {
  asking?.abort();
  const mine = (asking = new AbortController());
  document.body.setAttribute("aria-busy", "true");
  summary.classList.add("waiting");
  tell("");
  try {
    const results = await ask(`/search/results?${query}`, { signal: mine.signal });
    if (remember) history.pushState(null, "", `/?${query}`);
    show(results);
    summary.innerHTML = results.summary; // made and escaped by the server's template
  } catch (problem) {
    if (problem.name === "AbortError") return;
    const told = document.createElement("p");
    told.className = "problem";
    told.setAttribute("role", "alert");
    told.textContent = problem.message;
    summary.replaceChildren(told);
    actions.hidden = true;
    grid.empty();
    map.empty();
  } finally {
    if (mine === asking) {
      document.body.removeAttribute("aria-busy");
      summary.classList.remove("waiting");
    }
  }
}

function show(results) {
  shown = results;
  actions.hidden = results.total === 0;
  grid.show(results);
  map.show(results);
  for (const input of document.querySelectorAll(".current-search")) input.value = withOrder(results);
  document.getElementById("export-count").textContent = `${counted.format(results.total)} properties.`;
  document.title = `${counted.format(results.total)} properties - LeadFlow`;
}

function withOrder(results) {
  return [results.query, ...results.sort.map((key) => `sort=${encodeURIComponent(key)}`)].filter(Boolean).join("&");
}

// Change the order or the columns in the address, without a step back for each.
function keep({ sort, columns }) {
  const query = new URLSearchParams(location.search);
  if (sort) {
    shown.sort = sort;
    for (const input of document.querySelectorAll(".current-search")) input.value = withOrder(shown);
    query.delete("sort");
    for (const key of sort) query.append("sort", key);
    map.reorder();
  }
  if (columns) {
    query.delete("columns");
    if (columns.length) query.set("columns", columns.join(","));
  }
  history.replaceState(null, "", `/?${query}`);
}

function input(name, value, type = "hidden") {
  const made = document.createElement("input");
  Object.assign(made, { type, name, value });
  return made;
}

function writeAreas({ polygons, circles }) {
  document.getElementById("areas").replaceChildren(...polygons.map((text) => input("polygon", text)));
  toldAreas(polygons.length);
  const rows = document.getElementById("circles");
  const first = rows.firstElementChild;
  const made = (circles.length ? circles : [{ near: "", radius: "" }]).map(({ near, radius }) => {
    const row = first.cloneNode(true);
    row.querySelector("[name=near]").value = near;
    row.querySelector("[name=radius]").value = radius;
    return row;
  });
  rows.replaceChildren(...made);
}

function toldAreas(count) {
  document.getElementById("areas-told").textContent =
    count === 0 ? "None. Draw with the tools on the map." : count === 1 ? "1 area drawn" : `${count} areas drawn`;
  document.getElementById("clear-areas").hidden = count === 0;
}

function writePlace(place) {
  const rows = [...document.querySelectorAll("#circles .circle")];
  const free = rows.find((row) => !row.querySelector("[name=near]").value) ?? addCircle();
  free.querySelector("[name=near]").value = place;
  if (!free.querySelector("[name=radius]").value) free.querySelector("[name=radius]").value = "0.5mi";
}

function addCircle() {
  const rows = document.getElementById("circles");
  const row = rows.firstElementChild.cloneNode(true);
  for (const field of row.querySelectorAll("input")) field.value = "";
  rows.append(row);
  row.querySelector("[name=near]").focus();
  return row;
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  search();
  fold(true);
});
document.getElementById("add-circle").addEventListener("click", addCircle);
document.getElementById("clear-areas").addEventListener("click", () => {
  document.getElementById("areas").replaceChildren();
  toldAreas(0);
  search();
});
const pick = document.getElementById("pick-place");
pick.addEventListener("click", () => {
  fold(true);
  map.pick((on) => pick.setAttribute("aria-pressed", String(on)));
});
document.getElementById("draw-area").addEventListener("click", () => {
  fold(true);
  map.drawArea();
});
// Another page's search came back: the form must say what it says.
addEventListener("popstate", () => location.reload());

document.getElementById("export-form").addEventListener("submit", (event) => {
  const which = document.getElementById("export-which").value;
  document.getElementById("export-columns").value = which === "grid" ? grid.columns().join(",") : "";
  event.target.closest("dialog").close();
  tell("The download begins when the file is written.");
});

const columnsDialog = document.getElementById("columns-dialog");
columnsDialog.addEventListener("close", () => {
  const how = columnsDialog.returnValue;
  if (how === "cancel" || how === "") return;
  const boxes = [...columnsDialog.querySelectorAll("input:checked")].map((box) => box.value);
  keep({ columns: how === "usual" ? [] : boxes });
  search(new URLSearchParams(location.search), { remember: false });
});
document.querySelector("[data-opens=columns-dialog]").addEventListener("click", () => {
  const now = new Set(grid.columns());
  const boxes = data.columns.map((column) => {
    const label = document.createElement("label");
    label.className = "check";
    label.title = column.says;
    const box = input("column", column.name, "checkbox");
    box.checked = now.has(column.name);
    label.append(box, column.label);
    return label;
  });
  document.getElementById("columns").replaceChildren(...boxes);
  columnsDialog.returnValue = "";
});

// On a phone the filters give way to the results.
function fold(folded) {
  form.classList.toggle("folded", folded);
}
document.getElementById("show-filters").addEventListener("click", () => fold(false));
document.getElementById("hide-filters").addEventListener("click", () => fold(true));

if (data.first) {
  fold(true);
  show(data.first);
} else {
  map.begin();
}
