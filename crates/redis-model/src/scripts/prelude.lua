-- The sandbox that scripts live in. Called once with the functions of the host; returns the
-- environment of all scripts and the function that runs one.
--
-- What scripts see is a set of empty proxies before the real tables, so that writing always meets
-- __newindex and reading costs one step. A script can therefore leave nothing behind: neither a
-- global nor a changed library.

local host = ...
local raw_pcall, raw_xpcall, raw_resume = pcall, xpcall, coroutine.resume
local type, error, select, floor = type, error, select, math.floor
local raw_next, raw_rawget, raw_rawset, raw_setmetatable = next, rawget, rawset, setmetatable

local READONLY = "Attempt to modify a readonly table"
local behind = raw_setmetatable({}, { __mode = "k" }) -- proxy → the table that it protects

local function refuse_write() error(READONLY, 2) end

local function readonly(real)
  local proxy = {}
  behind[proxy] = real
  return raw_setmetatable(proxy, { __index = real, __newindex = refuse_write, __metatable = false })
end

local function copy(from, names)
  local to = {}
  for name in names:gmatch("%S+") do to[name] = from[name] end
  return to
end

local function guarded(f)
  return function(t, ...)
    if behind[t] then error(READONLY, 0) end
    return f(t, ...)
  end
end

-- Errors of the host arrive as userdata. `host.message` turns one into text, and raises it again when
-- it is a limit of the run: no script may catch that one.
local function plain(e)
  if type(e) == "userdata" then return host.message(e) end
  if type(e) == "table" and type(e.err) == "string" then return e.err end
  return e
end

local function as_table(e)
  if type(e) == "userdata" then return { err = host.message(e) } end
  return e
end

local function settled(present, ok, ...)
  if ok then return true, ... end
  return false, present((...))
end

local globals = copy(_G, "assert error getmetatable ipairs rawequal select tonumber tostring type unpack _VERSION")

function globals.pcall(f, ...) return settled(plain, raw_pcall(f, ...)) end

function globals.xpcall(f, handler)
  return settled(as_table, raw_xpcall(f, function(e)
    if type(e) == "userdata" then
      local limit = host.limit(e)
      if limit then return limit end
    end
    return handler(as_table(e))
  end))
end

function globals.next(t, key) return raw_next(behind[t] or t, key) end
function globals.pairs(t)
  if behind[t] then return globals.next, t, nil end
  return pairs(t)
end
function globals.rawget(t, key) return raw_rawget(behind[t] or t, key) end
globals.rawset = guarded(raw_rawset)
globals.setmetatable = guarded(raw_setmetatable)

-- Text only: a forged binary chunk can break the Lua machine.
function globals.loadstring(source, name) return host.compile(source, name or source) end
function globals.load(reader, name)
  local pieces = {}
  for piece in reader do
    if piece == "" then break end
    pieces[#pieces + 1] = piece
  end
  return host.compile(table.concat(pieces), name or "=(load)")
end

-- A script must not steer the collector, which the next script inherits.
function globals.collectgarbage(what)
  return what == "count" and collectgarbage("count") or 0
end

local strings = copy(string, "byte char find format gmatch gsub len lower match rep reverse sub upper")
local shown_strings = readonly(strings)
globals.string = shown_strings
local of_strings = getmetatable("")
of_strings.__index = strings
of_strings.__metatable = readonly({ __index = shown_strings })

local tables = copy(table, "concat maxn")
for name in ("insert remove sort"):gmatch("%S+") do tables[name] = guarded(table[name]) end
globals.table = readonly(tables)

local maths = copy(math, "abs acos asin atan atan2 ceil cos cosh deg exp floor fmod frexp huge ldexp "
  .. "log log10 max min modf pi pow rad sin sinh sqrt tan tanh")
maths.randomseed = host.seed
function maths.random(...)
  local r, n = host.random(), select("#", ...)
  local low, high = 1, ...
  if n == 0 then return r end
  if n == 2 then low, high = ... end
  if n > 2 then error("wrong number of arguments", 2) end
  if low > high then error("bad argument #" .. n .. " to 'random' (interval is empty)", 2) end
  return floor(r * (high - low + 1)) + low
end
globals.math = readonly(maths)

local coroutines = copy(coroutine, "create running status wrap yield")
function coroutines.resume(...) return settled(as_table, raw_resume(...)) end
globals.coroutine = readonly(coroutines)

local redis = host.redis
globals.redis = readonly(redis)

globals.cjson = readonly(host.cjson)
globals.bit = readonly(host.bit)

-- Libraries of Redis that the model leaves out say so, instead of looking like a typing error.
for name in ("cmsgpack struct"):gmatch("%S+") do
  globals[name] = raw_setmetatable({}, {
    __index = function(_, f)
      error("ERR " .. name .. "." .. tostring(f) .. " is not modelled by lockproof", 2)
    end,
    __newindex = refuse_write,
    __metatable = false,
  })
end

raw_setmetatable(globals, {
  __index = function(_, name)
    error("Script attempted to access nonexistent global variable '" .. tostring(name) .. "'", 2)
  end,
})
local environment = readonly(globals)
raw_rawset(globals, "_G", environment)

local describe = host.describe
local function run(script, keys, arguments)
  globals.KEYS, globals.ARGV = keys, arguments
  return raw_xpcall(script, describe)
end

return environment, run
