-- The health of a resource of Countersign in Argo CD: what kstatus, and so Flux, makes of it.
--
-- `obj` is the resource. What is not there yet, or was said of an older text of it, says nothing.
if obj.metadata.deletionTimestamp ~= nil then
  return {status = "Progressing", message = "it is being deleted"}
end
if obj.status == nil or obj.status.observedGeneration ~= obj.metadata.generation then
  return {status = "Progressing", message = "the controller has not looked at it yet"}
end
local conditions = {}
for _, condition in ipairs(obj.status.conditions or {}) do
  conditions[condition.type] = condition
end
-- Nothing but another text of it makes it ready.
local stalled = conditions["Stalled"]
if stalled ~= nil and stalled.status == "True" then
  return {status = "Degraded", message = stalled.reason .. ": " .. stalled.message}
end
local ready = conditions["Ready"]
if ready == nil then
  return {status = "Progressing", message = "nothing is said of whether it is ready"}
end
if ready.status == "True" then
  return {status = "Healthy", message = ready.reason}
end
return {status = "Progressing", message = ready.reason .. ": " .. ready.message}
