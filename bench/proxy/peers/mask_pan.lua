-- Masks card numbers (13 to 19 digits that pass Luhn) but for the first six and last four digits.
-- The body is collected first: a number may be split between two buffers.
local byte, rep, sub, concat = string.byte, string.rep, string.sub, table.concat
local gsub = ngx.re.gsub

local function passes_luhn(digits)
  local sum, double = 0, false
  for i = #digits, 1, -1 do
    local digit = byte(digits, i) - 48
    if double then
      digit = digit * 2
      if digit > 9 then digit = digit - 9 end
    end
    sum, double = sum + digit, not double
  end
  return sum % 10 == 0
end

local function masked(match)
  local digits = match[0]
  if not passes_luhn(digits) then return digits end
  return sub(digits, 1, 6) .. rep("*", #digits - 10) .. sub(digits, -4)
end

local M = {}

function M.filter()
  local chunks = ngx.ctx.chunks
  if not chunks then
    chunks = {}
    ngx.ctx.chunks = chunks
  end
  chunks[#chunks + 1] = ngx.arg[1]
  if not ngx.arg[2] then
    ngx.arg[1] = nil
    return
  end
  ngx.arg[1] = gsub(concat(chunks), [[\b[0-9]{13,19}\b]], masked, "jo")
end

return M
