-- What wrk sends: alerts that are all distinct, each a body like those of a Pine script.
-- Environment: BENCH_KEY, BENCH_RUN (a word of its own for each run), BENCH_MIX (opens or closes), BENCH_LAG.
-- `opens`: half carry an id, a quarter an id and a trade_id, a quarter only their bar's time.
-- `closes`: an OPEN with a trade_id by turns with the CLOSE of one that was opened LAG turns before.

local key, run = os.getenv("BENCH_KEY"), os.getenv("BENCH_RUN")
local closes, lag = os.getenv("BENCH_MIX") == "closes", tonumber(os.getenv("BENCH_LAG"))
local engines = {
  { "GOLD_CFD_LONG", "BUY", "XAUUSD", 2000, -5 },
  { "INDEX_LONG", "BUY", "NAS100", 18000, -40 },
  { "FX_SHORT", "SELL", "EURUSD", 1.1, 0.004 },
  { "OIL_LONG", "BUY", "USOIL", 70, -0.8 },
}
local n = 0

local function base(number)
  local engine = engines[number % 4 + 1]
  local price = engine[4] * (1 + number % 1000 / 100000)
  return string.format(
    '{"key":"%s","engine":"%s","signal":"%s","symbol":"%s","tf":"15","price":%.5f,"tp":%.5f,"sl":%.5f,'
      .. '"reason":"breakout of the session range, volume above its mean"',
    key, engine[1], engine[2], engine[3], price, price - 2 * engine[5], price + engine[5])
end

local function opening()
  local named, kind = run .. "-" .. n, n % 4
  local rest = string.format(',"ts":"%s"}', named)
  if kind < 3 then rest = string.format(',"id":"%s"%s', named, rest) end
  if kind == 2 then rest = string.format(',"trade_id":"t-%s"%s', named, rest) end
  return base(n) .. rest
end

local function turn()
  local pair = math.floor(n / 2)
  if n % 2 == 0 or pair <= lag then
    local which = n % 2 == 0 and pair or -pair
    return base(pair) .. string.format(',"event_type":"OPEN","trade_id":"t-%s-%d","id":"o-%s-%d"}', run, which, run, n)
  end
  local which = pair - lag
  return base(which) .. string.format(',"event_type":"CLOSE","trade_id":"t-%s-%d","id":"c-%s-%d"}', run, which, run, n)
end

function request()
  n = n + 1
  local body = closes and turn() or opening()
  return "POST /tv HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: "
    .. #body .. "\r\n\r\n" .. body
end

function done(summary, latency)
  local bad = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.status
    + summary.errors.timeout
  io.write(string.format('\nBENCH {"requests":%d,"seconds":%f,"bad":%d,"p50":%f,"p99":%f,"most":%f}\n',
    summary.requests, summary.duration / 1e6, bad,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, latency.max / 1e3))
end
