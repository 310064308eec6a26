-- tests/load/requests.lua: what wrk asks of the gateway.
--   wrk ... -s tests/load/requests.lua URL [-- mix]     mix: of 50, one traps, one spins, one exhausts memory
local n, mix = 0, false
local bad = { [10] = "/crash", [20] = "/spin", [30] = "/hoard" }

function init(args) mix = args[1] == "mix" end

function request()
    n = n + 1
    local path = mix and bad[n % 50] or "/orders/" .. n % 64 .. "?visitor=" .. n
    return wrk.format("GET", path)
end
