// What quant/report/packing.py wrote: deflated bytes in base64, and the candles put together again from distances.

async function unpacked(head, body) {
  const text = atob(body), bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  const buffer = await new Response(stream).arrayBuffer(), found = {};
  let at = 0;
  for (const [name, kind, length] of head) {
    const size = length * { f64: 8, u32: 4, i8: 1 }[kind];
    const part = buffer.slice(at, at + size);
    found[name] = kind === "f64" ? new Float64Array(part) : kind === "i8" ? new Int8Array(part) : joined(new Uint8Array(part), length);
    at += size;
  }
  return found;
}

function joined(planes, n) {
  const found = new Uint32Array(n);
  for (let i = 0; i < n; i++) found[i] = planes[i] | (planes[n + i] << 8) | (planes[2 * n + i] << 16) | (planes[3 * n + i] << 24);
  return found;
}

const zag = (value) => (value >>> 1) ^ -(value & 1);

/** `time` in seconds; prices; `n` bars of `step` seconds. */
function candlesOf(data) {
  const [first, step, unit, open] = data.scale, n = data.body.length;
  const made = { n, step: step / 1000, unit, time: new Float64Array(n) };
  for (const name of ["open", "high", "low", "close"]) made[name] = new Float64Array(n);
  const digits = Math.max(0, Math.min(12, Math.ceil(-Math.log10(unit) + 1))), scale = 10 ** digits;
  const price = (whole) => Math.round(whole * unit * scale) / scale;
  let moment = first, before = open;
  for (let i = 0; i < n; i++) {
    moment += i ? step * (1 + data.missing[i]) : 0;
    const o = before + zag(data.gap[i]), c = o + zag(data.body[i]);
    made.time[i] = moment / 1000;
    made.open[i] = price(o); made.close[i] = price(c);
    made.high[i] = price(Math.max(o, c) + data.above[i]); made.low[i] = price(Math.min(o, c) - data.below[i]);
    before = c;
  }
  return made;
}

/** The first bar that opens at or after `moment`. */
function barAt(time, moment) {
  let low = 0, high = time.length;
  while (low < high) { const middle = (low + high) >> 1; if (time[middle] < moment) low = middle + 1; else high = middle; }
  return low;
}

/** Candles [begin, end) in at most `most` columns: several bars together keep their extremes. */
function together(candles, begin, end, most) {
  let size = 1;
  while ((end - begin) / size > most) size *= 2;
  const out = { time: [], open: [], high: [], low: [], close: [], size };
  for (let from = begin - (begin % size); from < end; from += size) {
    const to = Math.min(from + size, candles.n);
    let high = -Infinity, low = Infinity;
    for (let i = from; i < to; i++) { if (candles.high[i] > high) high = candles.high[i]; if (candles.low[i] < low) low = candles.low[i]; }
    out.time.push(candles.time[from]); out.open.push(candles.open[from]); out.close.push(candles.close[to - 1]);
    out.high.push(high); out.low.push(low);
  }
  return out;
}

/** How far below its highest so far, in percent. */
function fallen(equity, initial) {
  let peak = initial;
  return Array.from(equity, (value) => { peak = Math.max(peak, value); return 100 * (value / peak - 1); });
}
