-- Requests from a file of `method \t path \t body` lines, in turn; each POST with a key of its own.
local lines, at, token, run = {}, 0, "", ""

function init(args)
  token = args[2]
  for line in io.lines(args[1]) do
    local method, path, body = line:match("^(%u+)\t([^\t]*)\t(.*)$")
    lines[#lines + 1] = { method, path, body }
  end
  run = tostring(os.time()) .. tostring({}):gsub("[^%w]", "")
end

function request()
  at = at % #lines + 1
  local method, path, body = lines[at][1], lines[at][2], lines[at][3]
  local headers = {}
  if token ~= "" then headers["Authorization"] = "Bearer " .. token end
  if method == "POST" then
    headers["Content-Type"] = "application/json"
    headers["Idempotency-Key"] = run .. "-" .. at .. "-0123456789"
    return wrk.format(method, path, headers, body)
  end
  return wrk.format(method, path, headers)
end

function done(summary, latency)
  local e = summary.errors
  io.write(string.format(
    '\n{"requests": %d, "seconds": %f, "p50_us": %f, "p99_us": %f, "wrong": %d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50), latency:percentile(99),
    e.status + e.connect + e.read + e.write + e.timeout))
end
