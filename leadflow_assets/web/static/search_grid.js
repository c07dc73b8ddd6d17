// The grid of results: rows come in blocks as one scrolls, sorted by the server over all of them.
import { AllCommunityModule, createGrid, ModuleRegistry, themeQuartz } from "ag-grid";
import { element } from "page";

ModuleRegistry.registerModules([AllCommunityModule]);
const BLOCK = 100;
const dollars = new Intl.NumberFormat("en-US", { style: "currency", currency: "USD", maximumFractionDigits: 0 });
const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const places = new Intl.NumberFormat("en-US", { maximumFractionDigits: 2 });
const days = new Intl.DateTimeFormat("en-US", { dateStyle: "medium", timeZone: "UTC" });
const WIDTHS = { site_address: 190, owner_name: 200, use_description: 170, score_reasons: 260, town: 110, case_types: 180, score: 95, score_coverage: 120 };
const METRES_PER_MILE = 1609.344;
const LIVES = { owner_occupied: "there", absentee_in_state: "elsewhere in state", absentee_out_of_state: "out of state", uncertain: "uncertain" };
// Where no value is a statement of its own.
const ABSENT = { score: "unknown", last_sale_date: "none recorded", owner_name: "not recorded", site_address: "No site address" };

function written(value, kind, name) {
  if (value === undefined || value === null || value === "") return ABSENT[name] ?? "";
  if (kind === "money") return dollars.format(value);
  if (kind === "count") return whole.format(value);
  if (kind === "decimal") return name === "score" || name === "score_high" ? value.toFixed(1) : places.format(value);
  if (kind === "percent") return `${places.format(value)}%`;
  if (kind === "share") return `${whole.format(100 * value)}%`;
  if (kind === "distance") return `${(value / METRES_PER_MILE).toFixed(2)} mi`;
  if (kind === "date") return days.format(new Date(`${String(value).slice(0, 10)}T00:00:00Z`));
  if (kind === "boolean") return value ? "Yes" : "No";
  if (name === "occupancy") return LIVES[value] ?? value;
  if (kind === "words") return String(value).replaceAll("_", " ");
  return String(value);
}

function addressCell({ data, value }) {
  if (!data) return element("span", "...");
  const text = value || "No site address";
  return data.href ? element("a", text, { href: data.href }) : element("span", text);
}

export class Grid {
  /** `on`: rows(offset, sort) asks for a block, sorted(sort) and chosen(row) tell what a person did. */
  constructor(place, columns, on) {
    this.known = new Map(columns.map((column) => [column.name, column]));
    this.on = on;
    this.results = null;
    this.quiet = false;
    this.place = place;
    place.hidden = true; // a table without rows says nothing; the words beside it do
    place.replaceChildren(); // the rows that the server wrote for want of a script
    const nonce = document.querySelector("script[nonce]")?.nonce;
    this.grid = createGrid(place, {
      theme: themeQuartz.withParams({
        accentColor: "#0b4f8a", headerBackgroundColor: "#f4f6f8", fontFamily: "inherit", fontSize: 14,
        foregroundColor: "#17202b", headerTextColor: "#17202b", borderColor: "#d5dbe3", wrapperBorder: false,
        spacing: 6, wrapperBorderRadius: 0,
      }),
      styleNonce: nonce,
      columnDefs: [],
      defaultColDef: { resizable: true, sortable: true, suppressHeaderMenuButton: true, minWidth: 70 },
      rowModelType: "infinite",
      cacheBlockSize: BLOCK,
      maxBlocksInCache: 40,
      getRowId: ({ data }) => data.property_id,
      rowSelection: { mode: "singleRow", checkboxes: false, enableClickSelection: true },
      suppressCellFocus: false,
      ensureDomOrder: true,
      onSelectionChanged: ({ api }) => {
        const [row] = api.getSelectedRows();
        if (row && !this.quiet) this.on.chosen(row);
      },
      onCellKeyDown: ({ event, data }) => { if (event.key === "Enter" && data?.href) location.href = data.href; },
      onRowDoubleClicked: ({ data }) => { if (data?.href) location.href = data.href; },
      onSortChanged: ({ source }) => { if (source === "uiColumnSorted") this.on.sorted(this.sort()); },
    });
    this.grid.setGridOption("datasource", { rowCount: 0, getRows: ({ successCallback }) => successCallback([], 0) });
  }

  /** Show the results of a search: its first rows are here already. */
  show(results) {
    this.results = results;
    this.place.hidden = results.total === 0;
    this.grid.updateGridOptions({ columnDefs: results.columns.map((name) => this.column(name, results.sort)) });
    let first = results.rows;
    const sortOfFirst = results.sort.join();
    this.grid.setGridOption("datasource", {
      rowCount: results.total,
      getRows: async ({ startRow, successCallback, failCallback }) => {
        try {
          const sort = this.sort();
          const here = startRow === 0 && first && sort.join() === sortOfFirst;
          const rows = here ? first : (await this.on.rows(startRow, sort)).rows;
          first = null;
          successCallback(rows, results.total);
        } catch {
          failCallback();
        }
      },
    });
  }

  empty() {
    this.results = null;
    this.place.hidden = true;
    this.grid.setGridOption("datasource", { rowCount: 0, getRows: ({ successCallback }) => successCallback([], 0) });
  }

  /** Bring a result of the map into sight and mark it; `rank` is its place in the order. */
  choose(rank, id) {
    if (!this.results) return;
    this.grid.ensureIndexVisible(rank, "middle");
    const mark = (tries) => {
      const node = this.grid.getRowNode(id);
      if (node) {
        this.quiet = true;
        node.setSelected(true, true);
        setTimeout(() => { this.quiet = false; }, 50);
      } else if (tries > 0) setTimeout(() => mark(tries - 1), 100);
    };
    mark(30);
  }

  /** The names of the columns, in the order in which they stand. */
  columns() {
    return this.grid.getAllDisplayedColumns().map((column) => column.getColId());
  }

  sort() {
    const sorted = this.grid.getColumnState().filter((column) => column.sort);
    if (!sorted.length) return this.results?.sort ?? [];
    sorted.sort((one, other) => one.sortIndex - other.sortIndex);
    return sorted.map(({ colId, sort }) => {
      const name = colId === "distance_m" ? "distance" : colId;
      return sort === "desc" ? `-${name}` : name;
    });
  }

  column(name, sort) {
    const { label, kind, says } = this.known.get(name) ?? { label: name, kind: "text", says: "" };
    const number = ["money", "count", "decimal", "percent", "share", "distance", "number"].includes(kind);
    const key = name === "distance_m" ? "distance" : name;
    const at = sort.findIndex((one) => one.replace(/^-/, "") === key);
    return {
      colId: name,
      field: name,
      headerName: label,
      headerTooltip: says,
      width: WIDTHS[name] ?? (number ? 110 : 140),
      type: number ? "rightAligned" : undefined,
      pinned: name === "site_address" && innerWidth > 700 ? "left" : undefined,
      sort: at < 0 ? null : sort[at].startsWith("-") ? "desc" : "asc",
      sortIndex: at < 0 ? null : at,
      sortable: name !== "score_reasons" && name !== "case_types",
      tooltipField: kind === "text" ? name : undefined,
      ...(name === "site_address"
        ? { cellRenderer: addressCell }
        : { valueFormatter: ({ value, data }) => (data ? written(value, kind, name) : "...") }),
    };
  }
}
