// uPlot in the page's colours, numbers and language.

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const rem = () => parseFloat(getComputedStyle(document.documentElement).fontSize);
const lang = () => (document.documentElement.lang === "fr" ? "fr-CA" : "en-CA");
const shown = (value, most = 8) => (value === null || Number.isNaN(value) ? "–" : value.toLocaleString(lang(), { maximumSignificantDigits: most }));
const gain = (value) => `${value > 0 ? "+" : ""}${shown(value, 5)}`;

function moment(seconds, brief = false) {
  const text = new Date(seconds * 1000).toISOString();
  return brief ? text.slice(0, 10) : `${text.slice(0, 10)} ${text.slice(11, 16)}`;
}

/** Words under a time axis: as fine as the distance between two of them asks. */
function dates(_, splits) {
  const apart = splits.length > 1 ? splits[1] - splits[0] : 86400;
  return splits.map((one, at) => {
    const [day, clock] = [moment(one, true), moment(one).slice(11)];
    if (apart >= 28 * 86400) return apart >= 360 * 86400 ? day.slice(0, 4) : day.slice(0, 7);
    return apart >= 86400 ? day.slice(at ? 5 : 0) : clock === "00:00" ? day.slice(5) : clock;
  });
}

function plot(node, options) {
  const dim = colour("--dim"), grid = { stroke: colour("--grid"), width: 1 };
  const font = `${Math.round(rem() * 0.74)}px ${getComputedStyle(document.body).fontFamily}`;
  const axis = { stroke: dim, font, grid, ticks: { ...grid, size: 4 } };
  const values = options.values || ((_, splits) => splits.map((one) => shown(one, 6)));
  return new uPlot({
    width: Math.max(200, node.clientWidth), height: Math.round(options.height * rem()), legend: { show: false }, padding: [8, 1.4 * rem(), 0, 0],
    tzDate: (ts) => uPlot.tzDate(new Date(ts * 1000), "Etc/UTC"),
    cursor: { points: { size: 6 }, drag: { x: true, y: false, setScale: false }, bind: { dblclick: () => null }, ...options.cursor },
    scales: { x: { time: true, ...options.x }, y: { range: options.range } },
    axes: [{ ...axis, size: 1.9 * rem(), space: 5.4 * rem(), values: dates }, { ...axis, size: 5 * rem(), space: 2.2 * rem(), values }],
    series: [{}, ...options.series], hooks: options.hooks || {},
  }, options.data, node);
}

/** Drawn again when the box, the theme or the language is another. `make` draws, and returns what to destroy. */
function kept(node, make) {
  let made = make(), width = node.clientWidth;
  const again = () => { for (const one of made) one.destroy(); made = make(); };
  new ResizeObserver(() => { if (node.clientWidth !== width) { width = node.clientWidth; again(); } }).observe(node);
  addEventListener("themechange", again);
}

/** Draws uPlot's first series (lows) and the arrays in `view()` as candles. */
function candleHook(view) {
  return (u) => {
    const seen = view(), c = u.ctx, good = colour("--good"), bad = colour("--bad");
    const apart = seen.time.length > 1 ? u.valToPos(seen.time[0] + seen.step * seen.size, "x", true) - u.valToPos(seen.time[0], "x", true) : 9;
    const wide = Math.max(1, Math.floor(apart * 0.66));
    c.save();
    c.beginPath(); c.rect(u.bbox.left, u.bbox.top, u.bbox.width, u.bbox.height); c.clip();
    for (let i = 0; i < seen.time.length; i++) {
      const x = Math.round(u.valToPos(seen.time[i], "x", true) + apart / 2), y = (value) => u.valToPos(value, "y", true);
      c.fillStyle = seen.close[i] >= seen.open[i] ? good : bad;
      const top = y(seen.high[i]), body = y(Math.max(seen.open[i], seen.close[i]));
      c.fillRect(x, top, Math.max(1, devicePixelRatio), Math.max(1, y(seen.low[i]) - top));
      if (wide > 2) c.fillRect(Math.round(x - wide / 2), body, wide, Math.max(1, y(Math.min(seen.open[i], seen.close[i])) - body));
    }
    c.restore();
  };
}

const MOST_TRADES = 400; // more would hide the candles

/** Entries as triangles in their direction, exits as squares, a line between: blue for a gain, amber for a loss. */
function tradeHook(trades, candles, seen) {
  return (u) => {
    const c = u.ctx, big = 5 * devicePixelRatio, many = seen().length > 150;
    c.save();
    c.beginPath(); c.rect(u.bbox.left, u.bbox.top, u.bbox.width, u.bbox.height); c.clip();
    for (const i of seen().length > MOST_TRADES ? [] : seen()) {
      const at = (bar, price) => [u.valToPos(candles.time[bar] + candles.step / 2, "x", true), u.valToPos(price, "y", true)];
      const [x, y] = at(trades.entry_bar[i], trades.entry[i]), [to, end] = at(trades.exit_bar[i], trades.exit[i]);
      c.fillStyle = c.strokeStyle = colour(trades.pnl[i] >= 0 ? "--accent" : "--warn");
      c.lineWidth = 1.5 * devicePixelRatio;
      c.beginPath(); c.moveTo(x, y); c.lineTo(to, end); c.stroke();
      if (many) continue;
      const up = trades.side[i] > 0 ? 1 : -1;
      c.beginPath(); c.moveTo(x, y - up * big); c.lineTo(x - big, y + up * big); c.lineTo(x + big, y + up * big); c.fill();
      c.fillRect(to - big / 1.6, end - big / 1.6, big * 1.25, big * 1.25);
    }
    c.restore();
  };
}
