-- SPDX-License-Identifier: Apache-2.0
-- One line of JSON after a run of wrk, for compare.py; times in microseconds.
done = function(summary, latency, requests)
	local e = summary.errors
	io.write(string.format('JSON {"requests": %d, "bytes": %d, ' ..
		'"duration": %d, "p50": %d, "p99": %d, "errors": %d}\n',
		summary.requests, summary.bytes, summary.duration,
		latency:percentile(50), latency:percentile(99),
		e.connect + e.read + e.write + e.status + e.timeout))
end
