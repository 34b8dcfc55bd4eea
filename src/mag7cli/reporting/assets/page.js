"use strict";
(() => {
  const data = document.getElementById("page-data").textContent;
  const page = JSON.parse(data);
  const root = document.documentElement;
  const DAY = 86400000;
  const SMALLEST_RANGE = 4 * DAY;
  const dates = page.dates;
  const everything = [Date.parse(dates[0]), Date.parse(dates[dates.length - 1])];
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const views = new Map();
  const chosen = { lo: everything[0], hi: everything[1], then: dates[0], now: dates[dates.length - 1], company: page.company };
  const followed = { time: ["lo", "hi"], dates: ["then", "now"], company: ["company"] };

  const idle = () => new Promise((done) => (window.requestIdleCallback ? requestIdleCallback(done, { timeout: 200 }) : setTimeout(done, 0)));
  const host = (name) => document.querySelector(`[data-chart="${name}"]`);
  const longDate = (iso) => new Date(iso).toLocaleDateString("en-GB", { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" });
  const element = (tag, properties) => Object.assign(document.createElement(tag), properties);

  // Each chart gets records of its own: the library writes into them.
  function records(name) {
    const { columns, rows } = page.datasets[name];
    return rows.map((row) => Object.fromEntries(columns.map((column, i) => [column, row[i]])));
  }

  // Drawing

  async function draw(name) {
    const chart = page.charts[name];
    const spec = structuredClone(chart.spec);
    spec.datasets = Object.fromEntries(chart.datasets.map((dataset) => [dataset, records(dataset)]));
    for (const param of spec.params || []) if (param.name in chosen) param.value = chosen[param.name];
    views.get(name)?.finalize();
    host(name).dataset.theme = dark.matches ? "dark" : "light";
    const config = page.themes[host(name).dataset.theme];
    const options = { mode: "vega-lite", renderer: "canvas", actions: false, ast: true, defaultStyle: false, config, tooltip: { theme: "custom" } };
    const canvas = host(name).querySelector(".canvas") || host(name).appendChild(element("div", { className: "canvas" }));
    views.set(name, await vegaEmbed(canvas, spec, options));
  }

  function onScreen(name) {
    const box = host(name).getBoundingClientRect();
    return box.bottom > 0 && box.top < innerHeight;
  }

  // Wherever somebody scrolled to meanwhile comes first; a new theme begins anew.
  let drawing = 0;
  async function drawAll() {
    const turn = ++drawing;
    const waiting = new Set(Object.keys(page.charts));
    while (waiting.size) {
      await idle();
      if (turn !== drawing) return;
      const name = [...waiting].find(onScreen) || [...waiting][0];
      waiting.delete(name);
      await draw(name);
    }
    root.dataset.drawn = views.size;
  }

  // What is on the screen answers at once, the rest when there is time; a newer wish ends an older one.
  const turns = { time: 0, dates: 0, company: 0 };
  async function apply(control) {
    const turn = ++turns[control];
    const following = [...views.keys()].filter((name) => page.charts[name].follows.includes(control));
    for (const name of following.sort((a, b) => onScreen(b) - onScreen(a))) {
      if (!onScreen(name)) await idle();
      if (turn !== turns[control]) return;
      const { view } = views.get(name);
      for (const signal of page.charts[name].follows.flatMap((which) => followed[which])) view.signal(signal, chosen[signal]);
      await view.runAsync();
    }
    root.dataset[control] = turn;
  }

  // The visible time

  function show(lo, hi, button = null) {
    if (hi - lo < SMALLEST_RANGE) return;
    chosen.lo = Math.max(lo, everything[0]);
    chosen.hi = Math.min(hi, everything[1]);
    for (const other of document.querySelectorAll("[data-range]")) other.setAttribute("aria-pressed", other === button);
    hideReading();
    apply("time");
  }

  // As the changes are counted: from the same day of an earlier month, or its last, or the date before that.
  function monthsAgo(months) {
    const last = new Date(everything[1]);
    const [year, month] = [last.getUTCFullYear(), last.getUTCMonth() - months];
    return dateUntil(Date.UTC(year, month, Math.min(last.getUTCDate(), new Date(Date.UTC(year, month + 1, 0)).getUTCDate())));
  }

  function dateUntil(time) {
    return Math.max(everything[0], ...dates.map(Date.parse).filter((day) => day <= time));
  }

  function rangeButtons() {
    const lastOfYearBefore = () => dateUntil(Date.UTC(new Date(everything[1]).getUTCFullYear(), 0, 0));
    const starts = { all: () => everything[0], ytd: lastOfYearBefore };
    for (const button of document.querySelectorAll("[data-range]")) {
      const range = button.dataset.range;
      button.addEventListener("click", () => show(starts[range] ? starts[range]() : monthsAgo(Number(range)), everything[1], button));
    }
  }

  // Reading a date: a line and a few figures, drawn over the chart so that the chart need not be drawn again

  const panel = document.body.appendChild(element("div", { id: "reading", hidden: true }));
  panel.setAttribute("role", "status");
  const indexes = new Map();

  // The rows of a data set by date, and the dates in order.
  function index(name) {
    if (!indexes.has(name)) {
      const byDate = new Map();
      for (const row of records(name)) byDate.set(row.trading_date, [...(byDate.get(row.trading_date) || []), row]);
      const days = [...byDate.keys()].map((iso) => ({ iso, time: Date.parse(iso), rows: byDate.get(iso) }));
      indexes.set(name, days);
    }
    return indexes.get(name);
  }

  const visibleDays = (name) => index(page.charts[name].spec.data.name).filter((day) => day.time >= chosen.lo && day.time <= chosen.hi);

  function nearest(days, time) {
    let low = 0, high = days.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (days[middle].time < time) low = middle + 1; else high = middle;
    }
    return low > 0 && time - days[low - 1].time < days[low].time - time ? low - 1 : low;
  }

  function figure(read, value) {
    if (value === null || value === undefined) return null;
    if (read.digits === null) return value;
    const options = { minimumFractionDigits: read.digits, maximumFractionDigits: read.digits, signDisplay: read.sign ? "exceptZero" : "auto" };
    return value.toLocaleString("en-US", options).replace("-", "−") + read.unit;
  }

  function lines(name, day) {
    const single = page.charts[name].follows.includes("company") ? day.rows.find((row) => row.ticker === chosen.company) : day.rows[0];
    const found = page.charts[name].reads.map((read) => {
      const row = read.ticker ? day.rows.find((candidate) => candidate.ticker === read.ticker) : single;
      return [read.title, row ? figure(read, row[read.field]) : null];
    });
    return found.filter(([, text]) => text !== null);
  }

  // Where the plot begins inside its chart.
  function corner({ view }) {
    return { left: view.origin()[0] + view.padding().left, top: view.origin()[1] + view.padding().top };
  }

  function read(name, at) {
    const days = visibleDays(name);
    if (!days.length) return;
    const day = days[Math.max(0, Math.min(at, days.length - 1))];
    const { view } = views.get(name);
    const { left, top } = corner(views.get(name));
    const box = host(name).getBoundingClientRect();
    const x = view.scale("x")(day.time) + left;
    const cursor = host(name).querySelector(".cursor") || host(name).appendChild(element("div", { className: "cursor" }));
    Object.assign(cursor.style, { left: `${x}px`, top: `${top}px`, height: `${view.height()}px` });
    panel.replaceChildren(element("strong", { textContent: longDate(day.iso) }));
    for (const [title, text] of lines(name, day)) panel.append(element("span", { textContent: title }), element("b", { textContent: text }));
    panel.hidden = false;
    const right = box.left + x + 16;
    panel.style.left = `${right + panel.offsetWidth > innerWidth - 8 ? Math.max(8, box.left + x - 16 - panel.offsetWidth) : right}px`;
    panel.style.top = `${Math.max(8, Math.min(box.top + top + 12, innerHeight - panel.offsetHeight - 8))}px`;
    panel.dataset.date = day.iso;
    return days.indexOf(day);
  }

  function hideReading() {
    panel.hidden = true;
    for (const cursor of document.querySelectorAll(".cursor")) cursor.remove();
  }

  const timeAt = (name, pixel) => Number(views.get(name).view.scale("x").invert(pixel - corner(views.get(name)).left));

  function readable(name) {
    const area = host(name);
    let at = null;
    area.addEventListener("pointermove", (event) => {
      if (views.has(name)) at = read(name, nearest(visibleDays(name), timeAt(name, event.clientX - area.getBoundingClientRect().left)));
    });
    area.addEventListener("pointerleave", hideReading);
    area.addEventListener("blur", hideReading);
    area.addEventListener("keydown", (event) => {
      const last = views.has(name) ? visibleDays(name).length - 1 : -1;
      const step = event.shiftKey ? 21 : 1;
      const moves = { ArrowLeft: () => (at ?? last + 1) - step, ArrowRight: () => (at ?? last - 1) + step, Home: () => 0, End: () => last };
      if (event.key === "Escape") hideReading();
      if (last < 0 || !(event.key in moves)) return;
      event.preventDefault();
      at = read(name, moves[event.key]());
    });
  }

  // Dragging with a mouse looks closer; a finger scrolls the page

  function zoomable(name) {
    const area = host(name);
    let from = null, brush = null;
    const x = (event) => event.clientX - area.getBoundingClientRect().left;
    const finish = () => { brush?.remove(); from = brush = null; };
    area.addEventListener("pointerdown", (event) => { if (event.pointerType === "mouse" && event.button === 0 && views.has(name)) from = x(event); });
    addEventListener("pointermove", (event) => {
      if (from === null || (!brush && Math.abs(x(event) - from) < 6)) return;
      brush ??= area.appendChild(element("div", { className: "brush" }));
      Object.assign(brush.style, { left: `${Math.min(from, x(event))}px`, width: `${Math.abs(x(event) - from)}px` });
    });
    addEventListener("pointerup", (event) => {
      if (brush) show(...[timeAt(name, from), timeAt(name, x(event))].sort((a, b) => a - b));
      finish();
    });
    addEventListener("pointercancel", finish);
    area.addEventListener("dblclick", () => document.querySelector('[data-range="all"]').click());
  }

  // The two dates, the company, the data

  function comparison() {
    const sliders = { then: document.getElementById("then"), now: document.getElementById("now") };
    const share = Object.fromEntries(records("daily").map((day) => [day.trading_date, day.mag7_pct_of_sp500]));
    const update = () => {
      [chosen.then, chosen.now] = [Number(sliders.then.value), Number(sliders.now.value)].sort((a, b) => a - b).map((i) => dates[i]);
      for (const when of ["then", "now"]) {
        const text = longDate(dates[sliders[when].value]);
        document.getElementById(`${when}-date`).textContent = text;
        sliders[when].setAttribute("aria-valuetext", text);
      }
      const points = share[chosen.now] - share[chosen.then];
      document.getElementById("compared").textContent =
        `The share went from ${share[chosen.then].toFixed(2)} % to ${share[chosen.now].toFixed(2)} %: ` +
        `${points < 0 ? "−" : "+"}${Math.abs(points).toFixed(2)} percentage points.`;
    };
    for (const slider of Object.values(sliders)) slider.addEventListener("input", () => { update(); apply("dates"); });
    update();
  }

  function companyChoice() {
    const select = document.getElementById("company");
    if (!select) return;
    select.addEventListener("change", () => { chosen.company = select.value; hideReading(); apply("company"); });
  }

  function csv(name) {
    const quote = (cell) => (cell === null ? "" : /[",\n]/.test(cell) ? `"${String(cell).replaceAll('"', '""')}"` : cell);
    // Numbers as they are written: above 70 trillion a float has no place for every cent.
    const asWritten = (key, value, context) => (typeof value === "number" && context ? context.source : value);
    const { columns, rows } = JSON.parse(data, asWritten).datasets[name];
    // What every row says of itself; columns named after the Mag 7 are the group's where there is another.
    const marks = { ...(page.group === "mag7" ? {} : { group: page.group }), ...(columns.includes("simulated") ? {} : { simulated: page.simulated }) };
    const table = [[...columns, ...Object.keys(marks)], ...rows.map((row) => [...row, ...Object.values(marks)])];
    return table.map((row) => row.map(quote).join(",")).join("\n") + "\n";
  }

  function downloads() {
    for (const button of document.querySelectorAll("[data-download]")) {
      button.addEventListener("click", () => {
        const name = button.dataset.download;
        const address = URL.createObjectURL(new Blob([csv(name)], { type: "text/csv" }));
        element("a", { href: address, download: `mag7_${page.simulated ? "SIMULATED_" : ""}${name}.csv` }).click();
        setTimeout(() => URL.revokeObjectURL(address), 1000);
      });
    }
  }

  async function start() {
    rangeButtons();
    comparison();
    companyChoice();
    downloads();
    for (const [name, chart] of Object.entries(page.charts)) {
      if (!chart.reads.length) continue;
      readable(name);
      zoomable(name);
    }
    await idle();
    document.head.append(element("script", { textContent: document.getElementById("library").textContent }));
    await drawAll();
    dark.addEventListener("change", drawAll);
  }

  // For whoever opens the console.
  window.mag7 = { page, views };

  // The answer is on the screen before the library is even read.
  requestAnimationFrame(() => setTimeout(start, 0));
})();
