/* A stand-in for cgminer: see README. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#ifdef USE_GEKKO
extern const char *gekko_options;
#else
static const char *gekko_options = "";
#endif

enum { MOST = 64 };
static struct stick { char serial[64]; bool gone; double asked, mhz, target; int resets; time_t born, lost; } sticks[MOST];
static int count;
static bool made_up, hanging;
static double asked_mhz = 200;
static time_t began;
static char config[65536], out[1 << 20];
static size_t used;
static int wait_for_pool = 2;

static void say(const char *form, ...)
{
	va_list args;
	va_start(args, form);
	used += vsnprintf(out + used, sizeof(out) - used, form, args);
	va_end(args);
}

static void applog(const char *form, ...)
{
	/* As cgminer does: to both, when stderr is no terminal. */
	char line[2048];
	va_list args;
	va_start(args, form);
	vsnprintf(line, sizeof(line), form, args);
	va_end(args);
	fprintf(stderr, " [2026-01-01 00:00:00.000] %s\n", line);
	fflush(stderr);
	printf(" [2026-01-01 00:00:00.000] %s\n", line);
	fflush(stdout);
}

/* The string value of a key in flat JSON, from `from` on. */
static bool value_of(const char *from, const char *key, char *into, size_t size)
{
	char quoted[128];
	snprintf(quoted, sizeof(quoted), "\"%s\"", key);
	const char *at = strstr(from, quoted);
	if (!at || !(at = strchr(at + strlen(quoted), ':')))
		return false;
	at += strspn(at + 1, " \t\n") + 1;
	if (*at != '"')
		return false;
	const char *end = strchr(++at, '"');
	if (!end || (size_t)(end - at) >= size)
		return false;
	memcpy(into, at, end - at);
	into[end - at] = 0;
	return true;
}

static struct stick *find(const char *serial)
{
	for (int at = 0; at < count; at++)
		if (!sticks[at].gone && !strcmp(sticks[at].serial, serial))
			return &sticks[at];
	return NULL;
}

static void add(const char *serial)
{
	if (count == MOST || find(serial))
		return;
	struct stick *new = &sticks[count++];
	*new = (struct stick){ .asked = asked_mhz, .mhz = asked_mhz, .target = asked_mhz, .born = time(NULL) };
	snprintf(new->serial, sizeof(new->serial), "%s", serial);
	applog("%d: GSF %d - CompacF Bitcoin Miner (%s)", count - 1, count - 1, serial);
}

static void lose(struct stick *stick)
{
	if (!stick->gone)
		stick->lost = time(NULL);
	stick->gone = true;
}

static bool read_line(const char *device, const char *name, char *into, size_t size)
{
	char path[512];
	snprintf(path, sizeof(path), "/sys/bus/usb/devices/%s/%s", device, name);
	FILE *file = fopen(path, "r");
	if (!file)
		return false;
	bool ok = fgets(into, size, file) != NULL;
	fclose(file);
	if (ok)
		into[strcspn(into, "\n")] = 0;
	return ok;
}

/* What the kernel shows, and we may open. */
static void rescan(void)
{
	bool seen[MOST] = { false };
	char maker[128], serial[64], bus[16], number[16], node[64];
	DIR *folder = opendir("/sys/bus/usb/devices");
	struct dirent *entry;
	while (folder && (entry = readdir(folder))) {
		if (!read_line(entry->d_name, "manufacturer", maker, sizeof(maker)) || strcmp(maker, "GekkoScience"))
			continue;
		if (!read_line(entry->d_name, "serial", serial, sizeof(serial)) || !read_line(entry->d_name, "busnum", bus, sizeof(bus)) ||
		    !read_line(entry->d_name, "devnum", number, sizeof(number)))
			continue;
		snprintf(node, sizeof(node), "/dev/bus/usb/%03d/%03d", atoi(bus), atoi(number));
		if (access(node, R_OK | W_OK))
			continue;
		add(serial);
		struct stick *stick = find(serial);
		if (stick)
			seen[stick - sticks] = true;
	}
	if (folder)
		closedir(folder);
	for (int at = 0; at < count; at++)
		if (!seen[at])
			lose(&sticks[at]);
}

static double hashrate(const struct stick *stick)
{
	return stick->gone ? 0 : 672 * stick->mhz * 0.78;
}

static void status(const char *kind, int code, const char *form, ...)
{
	char words[512];
	va_list args;
	va_start(args, form);
	vsnprintf(words, sizeof(words), form, args);
	va_end(args);
	say("\"STATUS\":[{\"STATUS\":\"%s\",\"When\":%ld,\"Code\":%d,\"Msg\":\"%s\",\"Description\":\"cgminer 4.13.4\"}]", kind,
	    (long)time(NULL), code, words);
}

static void rates(double mhs)
{
	say("\"MHS av\":%.2f,\"MHS 5s\":%.2f,\"MHS 1m\":%.2f,\"MHS 5m\":%.2f,\"MHS 15m\":%.2f,", mhs, mhs, mhs, mhs, mhs);
}

static void summary(void)
{
	double mhs = 0;
	for (int at = 0; at < count; at++)
		mhs += hashrate(&sticks[at]);
	status("S", 11, "Summary");
	say(",\"SUMMARY\":[{\"Elapsed\":%ld,", (long)(time(NULL) - began));
	rates(mhs);
	say("\"Found Blocks\":0,\"Accepted\":12,\"Rejected\":1,\"Hardware Errors\":3,\"Utility\":nan,\"Stale\":0,\"Best Share\":4242,"
	    "\"Last getwork\":%ld}]", (long)time(NULL));
}

static void devs(void)
{
	if (!count) {
		status("E", 10, "No ASCs");
		return;
	}
	status("S", 9, "%d ASC(s)", count);
	say(",\"DEVS\":[");
	for (int at = 0; at < count; at++) {
		say("%s{\"ASC\":%d,\"Name\":\"GSF\",\"ID\":%d,\"Enabled\":\"%s\",\"Status\":\"Alive\",\"Temperature\":0.00,", at ? "," : "", at,
		    at, sticks[at].gone ? "N" : "Y");
		rates(hashrate(&sticks[at]));
		say("\"Accepted\":6,\"Rejected\":0,\"Hardware Errors\":1,\"Last Share Time\":%ld,\"No Device\":%s,\"Last Valid Work\":%ld,"
		    "\"Device Elapsed\":%ld}", (long)time(NULL), sticks[at].gone ? "true" : "false",
		    (long)(sticks[at].gone ? sticks[at].lost : time(NULL)), (long)(time(NULL) - sticks[at].born));
	}
	say("]");
}

static void pools(void)
{
	char url[256], user[256];
	int number = 0;
	status("S", 7, "Pool(s)");
	say(",\"POOLS\":[");
	for (const char *at = config; (at = strstr(at, "\"url\"")); at++, number++) {
		if (!value_of(at, "url", url, sizeof(url)) || !value_of(at, "user", user, sizeof(user)))
			break;
		bool alive = !strstr(url, "dead");
		say("%s{\"POOL\":%d,\"URL\":\"%s\",\"Status\":\"%s\",\"Priority\":%d,\"Accepted\":12,\"Rejected\":1,\"Stale\":0,"
		    "\"User\":\"%s\",\"Stratum Active\":%s}", number ? "," : "", number, url, alive ? "Alive" : "Dead", number, user,
		    alive ? "true" : "false");
	}
	say("]");
}

static void stats(void)
{
	status("S", 70, "CGMiner stats");
	say(",\"STATS\":[");
	for (int at = 0; at < count; at++) {
		say("%s{\"STATS\":%d,\"ID\":\"GSF%d\",\"Elapsed\":1", at ? "," : "", at, at);
		if (!sticks[at].gone)
			say(",\"Serial\":\"%s\",\"GHGHs\":%.3f,\"Require\":0.650,\"RequireGH\":%.3f,\"Resets\":%d,\"Frequency\":%.2f,"
			    "\"FreqReq\":%.2f,\"FreqSel\":%.2f,\"Chips\":1", sticks[at].serial, hashrate(&sticks[at]) / 1000,
			    672 * sticks[at].mhz / 1000 * 0.65, sticks[at].resets, sticks[at].mhz, sticks[at].target, sticks[at].asked);
		say("}");
	}
	say("]");
}

static void ascset(char *parameter)
{
	char *number = strtok(parameter, ","), *option = strtok(NULL, ","), *value = strtok(NULL, ",");
	int at = number ? atoi(number) : -1;
	if (at < 0 || at >= count || sticks[at].gone) {
		status("E", 107, "Invalid ASC id %d", at);
	} else if (option && value && !strcmp(option, "freq")) {
		sticks[at].mhz = atof(value);
		status("S", 119, "ASC %d set OK", at);
	} else if (option && value && !strcmp(option, "target")) {
		sticks[at].target = atof(value);
		status("S", 119, "ASC %d set OK", at);
	} else {
		status("E", 120, "ASC %d set failed: Unknown option: %s", at, option ? option : "");
	}
}

static void standin(char *parameter)
{
	char *verb = strtok(parameter, ","), *first = strtok(NULL, ","), *second = strtok(NULL, ",");
	struct stick *stick = first ? find(first) : NULL;
	status("S", 0, "done");
	if (!verb)
		return;
	if (!strcmp(verb, "lose") && stick)
		lose(stick);
	else if (!strcmp(verb, "back") && first)
		add(first);
	else if (!strcmp(verb, "drop") && stick && second)
		stick->mhz = stick->target = atof(second);
	else if (!strcmp(verb, "hang"))
		hanging = true;
	else if (!strcmp(verb, "exit"))
		exit(first ? atoi(first) : 0);
}

static void one(const char *command, char *parameter)
{
	say("{");
	if (!strcmp(command, "summary"))
		summary();
	else if (!strcmp(command, "devs"))
		devs();
	else if (!strcmp(command, "pools"))
		pools();
	else if (!strcmp(command, "stats"))
		stats();
	else if (!strcmp(command, "version")) {
		status("S", 22, "CGMiner versions");
		say(",\"VERSION\":[{\"CGMiner\":\"4.13.4\",\"API\":\"3.7\"}]");
	} else if (!strcmp(command, "switchpool"))
		status("S", 27, "Switching to pool %s", parameter);
	else if (!strcmp(command, "enablepool"))
		status("S", 47, "Enabling pool %s", parameter);
	else if (!strcmp(command, "disablepool"))
		status("S", 48, "Disabling pool %s", parameter);
	else if (!strcmp(command, "ascset"))
		ascset(parameter);
	else if (!strcmp(command, "standin"))
		standin(parameter);
	else
		status("E", 14, "Invalid command");
	say(",\"id\":1}");
}

static void answer(const char *request)
{
	char command[256] = "", parameter[256] = "";
	value_of(request, "command", command, sizeof(command));
	value_of(request, "parameter", parameter, sizeof(parameter));
	used = 0;
	if (!strchr(command, '+')) {
		one(command, parameter);
		return;
	}
	say("{");
	for (char *name = strtok(command, "+"); name; name = strtok(NULL, "+")) {
		say("\"%s\":[", name);
		one(name, parameter);
		say("],");
	}
	say("\"id\":1}");
}

static void serve(int listener)
{
	struct pollfd waiting = { listener, POLLIN, 0 };
	for (;;) {
		if (!made_up)
			rescan();
		if (poll(&waiting, 1, 1000) < 1)
			continue;
		int peer = accept(listener, NULL, NULL);
		if (peer < 0 || hanging)
			continue; /* the connection stays open, and nobody answers */
		char request[8192];
		ssize_t size = read(peer, request, sizeof(request) - 1);
		request[size > 0 ? size : 0] = 0;
		answer(request);
		if (write(peer, out, used + 1) < 0) /* with the NUL behind the text */
			applog("API: write failed");
		close(peer);
	}
}

static int listen_at(const char *host, int port)
{
	int listener = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
	struct sockaddr_in place = { .sin_family = AF_INET, .sin_port = htons(port) };
	inet_pton(AF_INET, host, &place.sin_addr);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (bind(listener, (struct sockaddr *)&place, sizeof(place)) || listen(listener, 16)) {
		applog("API: bind failed");
		exit(1);
	}
	return listener;
}

static void look_for_pools(void)
{
	char url[256] = "", user[256] = "", pass[256] = "";
	if (!value_of(config, "url", url, sizeof(url))) {
		applog("Need to specify at least one pool server.");
		exit(1);
	}
	for (const char *at = config; (at = strstr(at, "\"url\"")); at++)
		if (value_of(at, "url", url, sizeof(url)) && !strstr(url, "dead"))
			return;
	sleep(wait_for_pool);
	applog("No servers were found that could be used to get work from.");
	value_of(config, "user", user, sizeof(user));
	value_of(config, "pass", pass, sizeof(pass));
	applog("Pool: 0  URL: %s  User: %s  Password: %s", url, user, pass);
	applog("No servers could be used! Exiting.");
	exit(0);
}

static void usage(void)
{
	printf("cgminer 4.13.4\nUsage: cgminer [-DdElmpPQqUsTouOchnV]\nOptions for both config file and command line:\n"
	       "--api-allow <arg> Allow API access only to the given list\n--api-host <arg> Specify API listen address\n"
	       "--api-listen Enable API\n--api-port <arg> Port number of miner API\n--hotplug <arg> Seconds between hotplug checks\n"
	       "--log|-l <arg> Interval in seconds between log output\n--standin-sticks <arg> Serial numbers of made-up sticks\n"
	       "%sOptions for command line only:\n--config|-c <arg> Load a JSON-format configuration file\n"
	       "--help|-h Print this message\n--text-only|-T Disable ncurses formatted screen output\n", gekko_options);
}

int main(int argc, char **argv)
{
	char host[64] = "127.0.0.1", port[16] = "4028", given[1024] = "", mhz[32] = "";
	signal(SIGPIPE, SIG_IGN);
	for (int at = 1; at < argc; at++) {
		if (!strcmp(argv[at], "--help") || !strcmp(argv[at], "-h")) {
			usage();
			return 0;
		}
		if ((!strcmp(argv[at], "-c") || !strcmp(argv[at], "--config")) && at + 1 < argc) {
			FILE *file = fopen(argv[at + 1], "r");
			if (!file) {
				applog("Error: cannot read %s", argv[at + 1]);
				return 1;
			}
			config[fread(config, 1, sizeof(config) - 1, file)] = 0;
			fclose(file);
		}
	}
	began = time(NULL);
	applog("Started cgminer 4.13.4");
	if (value_of(config, "gekko-compacf-freq", mhz, sizeof(mhz)))
		asked_mhz = atof(mhz);
	look_for_pools();
	value_of(config, "api-host", host, sizeof(host));
	value_of(config, "api-port", port, sizeof(port));
	made_up = value_of(config, "standin-sticks", given, sizeof(given));
	for (char *serial = made_up ? strtok(given, ",") : NULL; serial; serial = strtok(NULL, ","))
		add(serial);
	serve(listen_at(host, atoi(port)));
}
