// The map of results: outlines from near, dots from afar; areas can be drawn, places picked.
import { leaflet as L } from "leaflet";
import { element } from "page";

const SCALE = 1e6; // positions are whole millionths of a degree
const STATE = [[41.2, -73.55], [42.9, -69.9]];
const LINE = "#1c2430";
const counted = new Intl.NumberFormat("en-US");
// One hue from pale to dark: more is darker, also in grey. What is unknown is no colour of the scale.
const BANDS = [
  { least: 60, label: "60 and more", colour: "#7a0177" },
  { least: 40, label: "40 to 60", colour: "#c51b8a" },
  { least: 20, label: "20 to 40", colour: "#f768a1" },
  { least: 0.01, label: "up to 20", colour: "#fbb4b9" },
  { least: 0, label: "0: no signal among what is known", colour: "#fdf3f0" },
];
const UNKNOWN = { label: "unknown", colour: "#ffffff", dash: "3 3" };
const NO_SCORE = { label: "no score applies", colour: "#9aa4b1" };

function band({ score, state }) {
  if (state === "not_applicable") return NO_SCORE;
  if (score === null || score === undefined) return UNKNOWN;
  return BANDS.find(({ least }) => score >= least);
}

export class SearchMap {
  /** `on`: places(view, signal) asks the server; chosen(place), drawn(areas), picked(text) tell what was done. */
  constructor(place, { colours, basemap, attribution }, on) {
    this.on = on;
    this.colours = colours;
    this.results = null;
    this.busy = false;
    this.layers = new Map();
    this.told = document.getElementById("map-told");
    this.legend = document.getElementById("legend");
    this.colour = document.getElementById("colour");
    this.map = L.map(place, { preferCanvas: true, maxZoom: 20, zoomSnap: 0.5, zoomDelta: 1, attributionControl: true });
    this.map.attributionControl.setPrefix(false).addAttribution("Parcels: MassGIS");
    L.control.scale({ metric: false, position: "bottomright" }).addTo(this.map);
    if (basemap) L.tileLayer(basemap, { attribution: attribution.replace(/[<>&]/g, ""), maxZoom: 20 }).addTo(this.map);
    this.towns = L.layerGroup().addTo(this.map);
    this.shapes = L.featureGroup().addTo(this.map);
    this.areas = L.featureGroup().addTo(this.map);
    this.map.fitBounds(STATE);
    this.map.on("moveend", () => { if (!this.still) this.load(); });
    this.colour.addEventListener("change", () => this.paint());
    new ResizeObserver(() => this.map.invalidateSize({ animate: false })).observe(place);
    this.ready = this.addTools();
  }

  /** Without a search: the towns that are here. */
  async begin() {
    const found = await this.showTowns("");
    this.fitTowns(found);
  }

  fitTowns(towns) {
    if (towns.length) this.move(L.latLngBounds(towns.flatMap((town) => town.rings.flat())));
  }

  show(results) {
    this.results = results;
    this.showAreas(results.areas);
    const towns = this.showTowns(results.towns.length <= 12 ? results.towns.join() : "");
    this.load({ fit: true, towns });
  }

  /** The order of the grid has changed: so have the ranks. */
  reorder() { this.load(); }

  empty() {
    this.results = null;
    this.asking?.abort();
    this.shapes.clearLayers();
    this.layers.clear();
    this.told.textContent = "";
    this.legend.replaceChildren();
  }

  async load({ fit = false, towns = [] } = {}) {
    if (!this.results) return;
    this.asking?.abort();
    this.asking = new AbortController();
    const bounds = this.map.getBounds();
    const box = [bounds.getWest(), bounds.getSouth(), bounds.getEast(), bounds.getNorth()].map((x) => x.toFixed(6));
    const view = fit ? "" : `box=${box.join()}&zoom=${this.map.getZoom()}`;
    try {
      const found = await this.on.places(view, this.asking.signal);
      if (fit && found.bounds) this.fit(found.bounds);
      else if (fit) this.fitTowns(await towns);
      this.draw(found);
      // From afar the first answer holds dots; near enough by now, the outlines are asked for.
      if (fit && this.map.getZoom() >= 14 && !found.places.some((place) => place.outline)) this.load();
    } catch (problem) {
      if (problem.name !== "AbortError") this.told.textContent = problem.message;
    }
  }

  fit([west, south, east, north]) {
    this.move(L.latLngBounds([south, west], [north, east]));
  }

  move(bounds) {
    this.still = true;
    this.map.fitBounds(bounds, { paddingTopLeft: [56, 20], paddingBottomRight: [20, 30], maxZoom: 17, animate: false });
    this.still = false;
  }

  draw(found) {
    this.found = found;
    this.shapes.clearLayers();
    this.layers.clear();
    const near = this.map.getZoom() >= 16 || found.places.length < 400;
    for (const place of found.places) {
      const style = { color: LINE, weight: near ? 1 : 0.5, opacity: 0.9, fillOpacity: 0.75 };
      const layer = place.outline
        ? L.polygon(place.outline.map((part) => part.map((steps) => ring(steps, found.origin))), style)
        : L.circleMarker(place.at, { ...style, radius: found.places.length > 800 ? 3 : 5 });
      layer.on("click", () => { if (!this.busy) this.open(place); });
      this.layers.set(place.id, layer);
      this.shapes.addLayer(layer);
    }
    this.paint();
    this.tellCount(found);
  }

  tellCount({ total, known, placeless, in_view: inView, places }) {
    const parts = [];
    if (places.length < inView) parts.push(`The first ${counted.format(places.length)} of ${counted.format(inView)} places here; zoom in for the rest`);
    else parts.push(`${counted.format(places.length)} ${places.length === 1 ? "place" : "places"}`);
    if (known < total) parts.push(`the map knows the first ${counted.format(known)} of ${counted.format(total)} results`);
    if (placeless) parts.push(`${counted.format(placeless)} without a place on the map`);
    this.told.textContent = `${parts.join("; ")}.`;
  }

  paint() {
    if (!this.found) return;
    const byScore = this.colour.value === "score";
    const used = new Map();
    for (const place of this.found.places) {
      const look = byScore ? band(place) : this.category(place);
      used.set(look.label, { ...look, count: (used.get(look.label)?.count ?? 0) + 1 });
      this.layers.get(place.id).setStyle({
        fillColor: look.colour, dashArray: look.dash ?? null,
        // Little is known of it: paler, and the legend says so.
        fillOpacity: byScore && look !== UNKNOWN && place.coverage !== null && place.coverage < 0.25 ? 0.45 : 0.8,
      });
    }
    const order = byScore ? [...BANDS, UNKNOWN, NO_SCORE].map(({ label }) => label) : [...used.keys()].sort();
    const entries = order.filter((label) => used.has(label)).map((label) => legendEntry(used.get(label)));
    if (byScore && entries.length) entries.push(element("li", "Paler: less than a quarter of the score is known"));
    this.legend.replaceChildren(...entries);
  }

  category({ category }) {
    return { label: (category ?? "unknown").replaceAll("_", " "), colour: this.colours[category] ?? this.colours.unknown };
  }

  open(place) {
    this.on.chosen(place);
    this.highlight(place.id);
    const box = element("div", undefined, { class: "popup" });
    box.append(element("h3", place.name));
    const { label } = band(place);
    box.append(element("p", place.score === null ? `Score: ${label}` : `Score ${place.score.toFixed(1)}, ${Math.round(100 * (place.coverage ?? 0))}% known`));
    if (place.rows > 1) box.append(element("p", `${place.rows} results on this parcel`));
    if (place.href) box.append(element("a", "Open the parcel", { href: place.href }));
    this.popup = L.popup().setLatLng(place.at).setContent(box).openOn(this.map);
  }

  /** Mark the place of a row of the grid, and bring it into sight. Rows of one parcel share its place. */
  choose({ property_id: id, href }) {
    const place = this.found?.places.find((one) => one.id === id || (href && one.href === href));
    if (!place) return;
    this.highlight(place.id);
    if (!this.map.getBounds().contains(place.at)) this.map.panTo(place.at);
  }

  highlight(id) {
    this.mark?.remove();
    const place = this.found.places.find((one) => one.id === id);
    const style = { color: "#f0a500", weight: 4, fill: false, interactive: false };
    this.mark = place.outline
      ? L.polygon(place.outline.map((part) => part.map((steps) => ring(steps, this.found.origin))), style)
      : L.circleMarker(place.at, { ...style, radius: 9 });
    this.mark.addTo(this.map);
  }

  async showTowns(ids) {
    const found = await fetch(`/search/towns?town=${ids}`).then((answer) => (answer.ok ? answer.json() : []), () => []);
    this.towns.clearLayers();
    for (const town of found) {
      const style = { color: "#5a6b80", weight: 1.5, fillColor: "#f7f8fa", fillOpacity: 0.8, interactive: false };
      this.towns.addLayer(L.polygon(town.rings.map((one) => [one]), style));
    }
    this.towns.eachLayer((layer) => layer.bringToBack());
    return found;
  }

  // Drawing.
  async addTools() {
    globalThis.L = L;
    globalThis.type = ""; // leaflet-draw 1.0.4 reads it without declaring it
    await new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = "/libraries/leaflet-draw/leaflet.draw.js";
      script.onload = resolve;
      script.onerror = () => reject(new Error("The drawing tools cannot be loaded."));
      document.head.append(script);
    }).catch((problem) => { this.told.textContent = problem.message; });
    const shape = { shapeOptions: { color: "#0b4f8a", weight: 2, fillOpacity: 0.08 } };
    const control = new L.Control.Draw({
      draw: {
        polygon: { ...shape, allowIntersection: false }, rectangle: { ...shape, showArea: false },
        circle: { ...shape, metric: false, feet: false }, marker: false, polyline: false, circlemarker: false,
      },
      edit: { featureGroup: this.areas },
    });
    this.map.addControl(control);
    // While one draws, edits or removes areas, a click means that and no parcel.
    for (const name of ["DRAWSTART", "EDITSTART", "DELETESTART"]) this.map.on(L.Draw.Event[name], () => { this.busy = true; });
    for (const name of ["DRAWSTOP", "EDITSTOP", "DELETESTOP"]) this.map.on(L.Draw.Event[name], () => setTimeout(() => { this.busy = false; }));
    const reachable = (on) => this.areas.eachLayer((layer) => { layer.options.interactive = on; });
    this.map.on(L.Draw.Event.DELETESTART, () => reachable(true));
    this.map.on(L.Draw.Event.DELETESTOP, () => reachable(false));
    this.map.on(L.Draw.Event.CREATED, ({ layer }) => { this.areas.addLayer(layer); this.on.drawn(this.drawnAreas()); });
    this.map.on(L.Draw.Event.EDITED, () => this.on.drawn(this.drawnAreas()));
    this.map.on(L.Draw.Event.DELETED, () => this.on.drawn(this.drawnAreas()));
    for (const button of document.querySelectorAll(".leaflet-draw a")) button.setAttribute("role", "button");
  }

  /** Begin to draw an area. */
  async drawArea() {
    await this.ready;
    new L.Draw.Polygon(this.map, { allowIntersection: false, shapeOptions: { color: "#0b4f8a" } }).enable();
  }

  /** The next click on the map is a place to search around. */
  pick(told) {
    const container = this.map.getContainer();
    container.classList.add("picking");
    told(true);
    this.busy = true;
    this.map.once("click", ({ latlng }) => {
      setTimeout(() => { this.busy = false; });
      container.classList.remove("picking");
      told(false);
      this.on.picked(`${latlng.lat.toFixed(6)},${latlng.lng.toFixed(6)}`);
    });
    container.scrollIntoView({ block: "nearest" });
  }

  showAreas(areas) {
    this.areas.clearLayers();
    const style = { color: "#0b4f8a", weight: 2, fillOpacity: 0.05, interactive: false };
    for (const area of areas) {
      if (area.kind === "circle") this.areas.addLayer(L.circle(area.at, { ...style, radius: area.metres }));
      else if (area.kind === "box") this.areas.addLayer(L.rectangle(area.bounds, style));
      else L.geoJSON(area.geometry, { style }).eachLayer((layer) => this.areas.addLayer(layer));
    }
  }

  drawnAreas() {
    const polygons = [];
    const circles = [];
    this.areas.eachLayer((layer) => {
      if (layer instanceof L.Circle) {
        const { lat, lng } = layer.getLatLng();
        circles.push({ near: `${lat.toFixed(6)},${lng.toFixed(6)}`, radius: `${Math.round(layer.getRadius())}m` });
      } else {
        for (const corners of outerRings(layer.getLatLngs())) {
          polygons.push(corners.map(({ lat, lng }) => `${lng.toFixed(6)},${lat.toFixed(6)}`).join(";"));
        }
      }
    });
    return { polygons, circles };
  }
}

// Rings hold differences: first position from the origin, then steps; longitude first.
function ring(steps, origin) {
  const points = [];
  let [x, y] = origin;
  for (let index = 0; index < steps.length; index += 2) {
    x += steps[index];
    y += steps[index + 1];
    points.push([y / SCALE, x / SCALE]);
  }
  return points;
}

function outerRings(corners) {
  if (corners.length && corners[0].lat !== undefined) return [corners];
  if (corners.length && corners[0].length && corners[0][0].lat !== undefined) return [corners[0]];
  return corners.map((part) => part[0]);
}

function legendEntry({ label, colour, dash, count }) {
  const entry = document.createElement("li");
  const picture = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  picture.setAttribute("viewBox", "0 0 16 16");
  picture.setAttribute("aria-hidden", "true");
  const square = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  const look = { x: 1, y: 1, width: 14, height: 14, fill: colour, stroke: LINE, "stroke-dasharray": dash ?? "" };
  for (const [name, value] of Object.entries(look)) square.setAttribute(name, value);
  picture.append(square);
  entry.append(picture, `${label} (${counted.format(count)})`);
  return entry;
}
