-- Lets the agent on this host look at this server and close or open its doors.
--
-- HTTP on 127.0.0.1:baton_control_port, apart from mod_http and its ports. Every request carries
-- "Authorization: Bearer SECRET", SECRET being the first line of baton_token_file.
--   GET  /status  what is being served, as "key=value" lines
--   POST /drain   first refuses new clients, then ends every client session; asked again, it cuts
--                 off those that have not left
--   POST /accept  connects to the database if that was lost, and takes clients again
-- All three are idempotent and answer with the status as it is afterwards. A request is bounded in
-- size, a connection in time; each connection serves one request.

module:set_global();

local portmanager = require "core.portmanager";
local gc = require "util.gc";
local server = require "net.server";
local timer = require "util.timer";
local same_secret = require "util.hashes".equals;

local max_request = 4096; -- bytes, headers and body together
local max_connection = 5; -- seconds
local max_connections = 16;

local control_port = module:get_option_number("baton_control_port");
local token_file = module:get_option_string("baton_token_file");

-- As they were when the database engine was made: reloading the configuration changes neither.
local instance = module:get_option_string("baton_instance", "");
local database = module:get_option("sql") or {};

local c2s_sessions = module:shared("/*/c2s/sessions");
local sql_engines = module:shared("/*/sql/connections");

local function read_token()
	local file, err = io.open(token_file or "", "r");
	if not file then
		return nil, err;
	end
	local line = file:read("*l");
	file:close();
	if not line or #line < 16 then
		return nil, "the first line of "..token_file.." must hold a secret of 16 characters or more";
	end
	return line;
end

local function accepting()
	return portmanager.get_active_services():get("c2s") ~= nil;
end

local function count_sessions()
	local sessions, authenticated = 0, 0;
	for _, session in pairs(c2s_sessions) do
		sessions = sessions + 1;
		if session.type == "c2s" then authenticated = authenticated + 1; end
	end
	return sessions, authenticated;
end

local function count_users()
	local users = 0;
	for _, host in pairs(prosody.hosts) do
		for _ in pairs(host.sessions or {}) do users = users + 1; end
	end
	return users;
end

-- Rooms in memory and the people in them. Rooms at rest in the database are not loaded for this.
local function count_rooms()
	local rooms, occupants = 0, 0;
	for _, host in pairs(prosody.hosts) do
		local muc = host.modules and host.modules.muc;
		if muc and muc.live_rooms then
			for room in muc.live_rooms() do
				rooms = rooms + 1;
				for _ in room:each_occupant() do occupants = occupants + 1; end
			end
		end
	end
	return rooms, occupants;
end

local function database_connected()
	for _, engine in pairs(sql_engines) do
		if engine.conn then return true; end
	end
	return false;
end

-- A value never holds a line break: whatever the configuration says, a line stays a line.
local function line(key, value)
	return key.."="..tostring(value):gsub("%c", " ").."\n";
end

local function status()
	local sessions, authenticated = count_sessions();
	local rooms, occupants = count_rooms();
	return line("accepting", accepting() and "yes" or "no")
		..line("users", count_users())
		..line("sessions", sessions)
		..line("authenticated", authenticated)
		..line("rooms", rooms)
		..line("occupants", occupants)
		..line("instance", instance)
		..line("database_host", database.host or "")
		..line("database_port", database.port or "")
		..line("database_connected", database_connected() and "yes" or "no");
end

-- Connections that were told to end.
local told = setmetatable({}, { __mode = "k" });

-- New clients first: a session that is ended comes straight back if the door is still open. A client
-- that does not read its goodbye would keep its connection for minutes: the next drain cuts it off.
local function drain()
	if accepting() then
		portmanager.deactivate("c2s");
	end
	local open = {};
	for conn, session in pairs(c2s_sessions) do
		open[conn] = session;
	end
	for conn, session in pairs(open) do
		if told[conn] then
			conn:on("disconnect", "the goodbye was not read");
			conn:destroy();
		elseif session.close then
			told[conn] = true;
			session:close({ condition = "system-shutdown", text = "This service is moving; please reconnect" });
		end
	end
	return status();
end

-- Connects now rather than when the first user logs in. Blocks as that would; a failure is logged
-- and shows in the status.
local function connect_database()
	for _, engine in pairs(sql_engines) do
		local ok, err = engine:connect();
		if not ok then module:log("error", "No database: %s", err); end
	end
end

local function accept()
	connect_database();
	if not accepting() then
		portmanager.activate("c2s");
	end
	return status();
end

local verbs = { ["GET /status"] = status, ["POST /drain"] = drain, ["POST /accept"] = accept };
local reasons = { [200] = "OK", [400] = "Bad Request", [401] = "Unauthorized", [404] = "Not Found",
	[413] = "Payload Too Large", [500] = "Internal Server Error", [503] = "Service Unavailable" };

local function respond(conn, code, body)
	conn:write(("HTTP/1.1 %d %s\r\nContent-Type: text/plain\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s")
		:format(code, reasons[code], #body, body));
	conn:close();
end

-- Decides on a whole request head. Returns the code and the body of the answer.
local function answer(head)
	local method, path = head:match("^(%u+) (/%S*) HTTP/1%.[01]\r\n");
	if not method then
		return 400, "not an HTTP request\n";
	end
	local token, err = read_token();
	if not token then
		module:log("error", "Refusing a request: no secret to compare with: %s", err);
		return 503, "no secret: "..err.."\n";
	end
	local given = head:match("\r\n[Aa]uthorization: Bearer (%S+)\r\n");
	if not given or not same_secret(given, token) then
		return 401, "the secret in baton_token_file is wanted\n";
	end
	local verb = verbs[method.." "..path];
	if not verb then
		return 404, "GET /status, POST /drain, POST /accept\n";
	end
	local ok, body = pcall(verb);
	if not ok then
		module:log("error", "%s %s failed: %s", method, path, body);
		return 500, "failed, see the log\n";
	end
	return 200, body;
end

local connections = 0;
local received = {}; -- connection → what came so far, while its request is not whole
local listener = {};

function listener.onconnect(conn)
	connections = connections + 1;
	received[conn] = "";
	if connections > max_connections then
		received[conn] = nil;
		respond(conn, 503, "too many connections\n");
		return;
	end
	timer.add_task(max_connection, function ()
		if received[conn] then conn:close(); end
	end);
end

function listener.onincoming(conn, data)
	if not received[conn] then return; end
	local request = received[conn]..data;
	if #request > max_request then
		received[conn] = nil;
		respond(conn, 413, "too long\n");
		return;
	end
	received[conn] = request;
	local head = request:match("^(.-\r\n)\r\n");
	if head then
		received[conn] = nil;
		respond(conn, answer(head));
	end
end

function listener.ondisconnect(conn)
	connections = connections - 1;
	received[conn] = nil;
end

if not control_port then
	module:log("error", "baton_control_port is not set: the agent cannot reach this server");
elseif prosody.process_type == "prosody" then
	local handler, err = server.listen("127.0.0.1", control_port, listener, { read_size = max_request });
	if not handler then
		module:log("error", "Cannot listen on 127.0.0.1:%d: %s", control_port, err);
	else
		function module.unload() handler:close(); end
	end
end

-- The configuration keeps the collector slow, since a start is mostly making garbage. From here on it
-- runs at Prosody's usual pace.
module:hook("server-started", function ()
	connect_database();
	gc.configure({ mode = "incremental" }, { threshold = 105, speed = 500 });
	collectgarbage("step", 0);
end);

module:hook("server-stopping", function ()
	-- A signal may arrive while a session is half destroyed. mod_c2s would fail on it, and the server
	-- would then neither serve nor stop.
	for conn, session in pairs(c2s_sessions) do
		if not session.close then c2s_sessions[conn] = nil; end
	end
	-- The main loop notices that it is to quit only when it wakes, which may be a second later when
	-- the last session closed by itself. Wake it often from now on.
	timer.add_task(0.002, function () return 0.002; end);
end, 1000);
