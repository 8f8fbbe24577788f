-- Posts one body with the headers of the keys in turn; the summary is one line of JSON.
-- wrk … -- BODY_FILE KEYS_FILE PAUSE_MS; a line of KEYS_FILE holds "name: value" pairs, tab-separated.

local requests, next_request, pause_ms = {}, 0, 0

function init(args)
  local file = assert(io.open(args[1], "rb"))
  local body = file:read("*a")
  file:close()
  pause_ms = tonumber(args[3])
  for line in io.lines(args[2]) do
    local headers = { ["content-type"] = "application/json" }
    for name, value in line:gmatch("([^:\t]+): ([^\t]*)") do headers[name] = value end
    requests[#requests + 1] = wrk.format("POST", "/v1/chat/completions", headers, body)
  end
  if pause_ms == 0 then delay = nil end
end

function request()
  next_request = next_request % #requests + 1
  return requests[next_request]
end

function delay()
  return pause_ms
end

function done(summary, latency)
  local errors = summary.errors
  print(string.format(
    '{"requests": %d, "duration_us": %d, "p50_us": %d, "p99_us": %d, "connect": %d, "read": %d, "write": %d, "status": %d, "timeout": %d}',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.connect, errors.read, errors.write, errors.status, errors.timeout))
end
