"use strict";

const EVERY_MS = 5000;
const byId = (id) => document.getElementById(id);
const signed = (value, digits) => (value >= 0 ? "+" : "") + value.toFixed(digits);
const newYork = (time) => new Date(time).toLocaleTimeString("en-GB", { timeZone: "America/New_York", hour: "2-digit", minute: "2-digit" });

function show(state) {
  const point = state.latest;
  if (!point) {
    byId("share").textContent = "waiting for the first price";
    return;
  }
  if (point.phase === "closed") {
    byId("share").textContent = "closed";
    byId("subject").textContent = `The session opens ${point.next_open.slice(0, 10)} at ${newYork(point.next_open)} New York.`;
    return;
  }
  byId("simulated").hidden = !point.is_simulated;
  byId("share").textContent = point.share_text;
  byId("subject").textContent = `of the S&P 500 ${point.without ? `without ${point.without.split(",").join(", ")} ` : ""}is ${point.group.split(",").join(", ")}, at ${newYork(point.minute)} New York on ${point.trading_date}.`;
  const sinceOpen = point.since_open === null ? "" : `, ${signed(point.since_open, 2)} since the open`;
  byId("changes").textContent = `${signed(point.since_close, 2)} points since the close of ${point.close_date}${sinceOpen}.`;
  byId("companies").replaceChildren(...point.companies.map(row));
  const age = point.oldest_age_s === null ? "" : `; the oldest price is ${Math.round(point.oldest_age_s / 60)} min old (${point.oldest_ticker})`;
  byId("coverage").textContent = `${point.traded_count} of ${point.constituents_count} companies traded${age}.`;
  byId("caveats").textContent = caveats(point).join("; ") + ".";
  byId("trend").firstElementChild.setAttribute("points", path(state.series));
  document.title = `${point.share_pct.toFixed(2)} % · mag7 live`;
}

function row(company) {
  const cells = [company.ticker, company.price_usd.toFixed(2), company.pct_of_sp500.toFixed(2), signed(company.since_close, 3),
    company.traded_at ? newYork(company.traded_at) : "none yet"];
  const line = document.createElement("tr");
  line.append(...cells.map((text) => Object.assign(document.createElement("td"), { textContent: text })));
  return line;
}

function caveats(point) {
  const parts = [point.phase === "regular" ? "Regular session" : point.phase];
  if (point.is_early_close) parts.push("early close today");
  if (point.halted.length) parts.push(`halted: ${point.halted.join(", ")}`);
  if (point.has_closes && point.phase === "regular") parts.push("official closes");
  else if (point.feed === "delayed") parts.push("15 minutes delayed");
  if (point.source !== "stream") parts.push("from snapshots");
  if (!point.is_close_bounded) parts.push("the bound of the last close is unknown");
  if (!point.is_connected) parts.push("no connection to the vendor");
  return [...parts, point.kind];
}

function path(series) {
  if (series.length < 2) return "";
  const times = series.map(([minute]) => Date.parse(minute));
  const shares = series.map(([, share]) => share);
  const [first, low] = [times[0], Math.min(...shares)];
  const [span, range] = [times.at(-1) - first || 1, Math.max(...shares) - low || 1];
  return series.map(([, share], at) => `${(600 * (times[at] - first)) / span},${115 - (110 * (share - low)) / range}`).join(" ");
}

async function refresh() {
  try {
    const answer = await fetch("state.json", { cache: "no-store" });
    show(await answer.json());
    byId("connection").hidden = true;
  } catch {
    byId("connection").textContent = "mag7 live has ended, or does not answer: what is shown is old.";
    byId("connection").hidden = false;
  }
  setTimeout(refresh, EVERY_MS);
}

refresh();
