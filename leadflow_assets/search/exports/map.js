// The map page. All text reaches the page through textContent: names and addresses are data, never markup.
const L = globalThis.L;
const data = JSON.parse(document.getElementById("data").textContent);
const PAGE = 200; // entries added to the list at a time
const SCALE = 1e6; // positions are whole millionths of a degree

function element(tag, text, className) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

const counted = new Intl.NumberFormat("en-US");
const dollars = new Intl.NumberFormat("en-US", { style: "currency", currency: "USD", maximumFractionDigits: 0 });
const twoPlaces = new Intl.NumberFormat("en-US", { maximumFractionDigits: 2 });

function shown(value, kind) {
  if (kind === "money") return dollars.format(value);
  if (kind === "count") return counted.format(value);
  if (kind === "decimal") return twoPlaces.format(value);
  if (kind === "percent") return `${twoPlaces.format(value)} %`;
  if (kind === "boolean") return value ? "Yes" : "No";
  if (typeof value === "object") return JSON.stringify(value);
  return String(value);
}

const byName = Object.fromEntries(data.fields.map((field, index) => [field.name, index]));
const cell = (row, name) => (name in byName ? data.rows[row][byName[name]] : null);
const heading = (row) => cell(row, "site_address") ?? "No site address";

// Rings hold differences: first position, then steps.
function ring(steps) {
  const points = [];
  let x = data.origin[0];
  let y = data.origin[1];
  for (let index = 0; index < steps.length; index += 2) {
    x += steps[index];
    y += steps[index + 1];
    points.push([y / SCALE, x / SCALE]);
  }
  return points;
}

const map = L.map("map", { preferCanvas: true, zoomControl: true, maxZoom: 21, zoomSnap: 0.25, zoomDelta: 0.5 });
map.attributionControl.addAttribution(data.source);
L.control.scale({ position: "topright", imperial: true, metric: false, maxWidth: 160 }).addTo(map);

const groups = data.categories.map(() => L.featureGroup().addTo(map));
const placeOfRow = new Map();
// Thinner lines from afar: else the outlines of many small lots run together and hide their colours.
function lineWeight() {
  if (map.getZoom() >= 16 || data.places.length <= 1000) return 1;
  return map.getZoom() >= 13.5 ? 0.4 : 0;
}
const layers = data.places.map((place, index) => {
  place.rows.forEach((row) => placeOfRow.set(row, index));
  const style = {
    color: "#1c2430", weight: 1, opacity: 0.9,
    fillColor: data.categories[place.category].colour, fillOpacity: 0.7,
  };
  let layer = null;
  if (place.outline) layer = L.polygon(place.outline.map((polygon) => polygon.map(ring)), style);
  else if (place.point) layer = L.circleMarker(ring(place.point)[0], { ...style, radius: 6 });
  if (layer === null) return null;
  layer.on("click", (event) => open(index, 0, event.latlng));
  return layer.addTo(groups[place.category]);
});

let chosen = null;
const everything = L.featureGroup(layers.filter((layer) => layer !== null));
function fit() {
  if (everything.getLayers().length) map.fitBounds(everything.getBounds(), { padding: [24, 24], maxZoom: 18 });
  else map.setView([42.2, -71.8], 8);
}
let drawnWeight = 1;
function thicken() {
  if (drawnWeight === lineWeight()) return;
  drawnWeight = lineWeight();
  everything.setStyle({ weight: drawnWeight });
  choose(chosen);
}
fit();
map.on("zoomend", thicken);
addEventListener("resize", () => map.invalidateSize());

function table(row) {
  const body = element("table");
  data.fields.forEach((field, index) => {
    if (field.name === "site_address") return;
    const value = data.rows[row][index];
    const line = element("tr");
    const title = element("th", field.label);
    title.scope = "row";
    const none = value === null || value === "";
    line.append(title, element("td", none ? "not recorded" : shown(value, field.kind), none ? "none" : ""));
    body.append(line);
  });
  return body;
}

function content(place, position) {
  const box = element("div", undefined, "popup");
  const rows = data.places[place].rows;
  function show(at) {
    const parts = [element("h3", heading(rows[at]))];
    if (rows.length > 1) {
      const turn = element("div", undefined, "turn");
      const [back, on] = [[-1, "Previous"], [1, "Next"]].map(([step, text]) => {
        const button = element("button", text);
        button.type = "button";
        button.addEventListener("click", (event) => {
          event.stopPropagation();
          show((at + step + rows.length) % rows.length);
        });
        return button;
      });
      turn.append(back, element("span", `${at + 1} of ${rows.length} on this parcel`), on);
      parts.push(turn);
    }
    box.replaceChildren(...parts, table(rows[at]));
  }
  show(position);
  return box;
}

const popup = L.popup({ maxWidth: 300, minWidth: 220, autoPanPadding: [12, 12] });
popup.on("remove", () => choose(null));
function choose(layer) {
  if (chosen) chosen.setStyle({ weight: drawnWeight, color: "#1c2430" });
  chosen = layer;
  if (chosen) chosen.setStyle({ weight: 4, color: "#000" }).bringToFront();
}
function open(place, position, at) {
  popup.setLatLng(at).setContent(content(place, position)).openOn(map);
  choose(layers[place]);
}

function visit(row) {
  const place = placeOfRow.get(row);
  const layer = layers[place];
  if (layer === null) return;
  const category = data.places[place].category;
  if (!map.hasLayer(groups[category])) boxes[category].click();
  const bounds = layer.getBounds ? layer.getBounds() : L.latLngBounds([layer.getLatLng()]);
  map.fitBounds(bounds, { maxZoom: 18, animate: false });
  open(place, data.places[place].rows.indexOf(row), bounds.getCenter());
  if (matchMedia("(max-width: 760px)").matches) document.getElementById("map").scrollIntoView();
}

const boxes = data.categories.map((category, index) => {
  const line = element("label");
  const box = element("input");
  box.type = "checkbox";
  box.checked = true;
  box.addEventListener("change", () => (box.checked ? groups[index].addTo(map) : groups[index].remove()));
  const swatch = element("i");
  swatch.style.background = category.colour;
  line.append(box, swatch, element("span", category.label), element("b", counted.format(category.rows)));
  document.getElementById("legend").append(line);
  return box;
});

const list = document.getElementById("list");
const more = document.getElementById("more");
const filter = document.getElementById("filter");
const searched = data.rows.map((values) => values.filter((v) => typeof v === "string").join("\n").toLowerCase());
const order = data.rows.map((_, row) => row);
let found = order;

function entry(row) {
  const item = element("li");
  const button = element("button");
  button.type = "button";
  const where = [cell(row, "town"), cell(row, "zip"), layers[placeOfRow.get(row)] ? null : "no place on the map"];
  button.append(element("div", heading(row)), element("span", where.filter(Boolean).join(" · ")));
  button.addEventListener("click", () => {
    list.querySelectorAll("[aria-current]").forEach((other) => other.removeAttribute("aria-current"));
    button.setAttribute("aria-current", "true");
    visit(row);
  });
  item.append(button);
  return item;
}
function extend() {
  const from = list.children.length;
  list.append(...found.slice(from, from + PAGE).map(entry));
  more.hidden = list.children.length >= found.length;
}
function refill() {
  const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
  found = order.filter((row) => words.every((word) => searched[row].includes(word)));
  list.replaceChildren();
  extend();
  document.getElementById("found").textContent =
    `${counted.format(found.length)} of ${counted.format(order.length)} properties`;
}
more.addEventListener("click", extend);
filter.addEventListener("input", refill);
refill();
thicken();

document.getElementById("title").textContent = data.title;
document.getElementById("summary").textContent = data.summary;
const about = document.getElementById("about");
data.about.forEach(([title, text]) => about.append(element("dt", title), element("dd", text)));
document.documentElement.dataset.ready = "yes";
