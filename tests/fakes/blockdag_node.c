/* A BlockDAG node for tests in a container: JSON-RPC 1.0 over HTTP with basic authentication, as Qitmeer's node has it.
 *
 * Source: Qitmeer's rpc (getMainChainHeight, getBlockCount, getPeerInfo, getNodeInfo), go-ethereum's eth_blockNumber,
 * eth_syncing and net_peerCount; 401 with a text for a wrong user or password. It reads NODE_ARGS as the image's start
 * script does, user and password from the --configfile named there. Files in --datadir change it while it runs: peers,
 * height (numbers), download (it says so in its log), grow (MB it writes into ./blocks). A file /broken in its image
 * makes it end at once. One request a connection; 760 KB when linked statically.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define DATA "/bdag/data"
static char expected[512];

static void stop(int signal) { (void)signal; _exit(0); }

static long number(const char *name, long otherwise) {
    char path[128];
    snprintf(path, sizeof path, DATA "/%s", name);
    FILE *file = fopen(path, "r");
    long value = otherwise;
    if (file) { if (fscanf(file, "%ld", &value) != 1) value = otherwise; fclose(file); }
    return value;
}

static void base64(const char *in, char *out) {
    static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t length = strlen(in);
    for (size_t at = 0; at < length; at += 3) {
        unsigned bits = (unsigned char)in[at] << 16;
        if (at + 1 < length) bits |= (unsigned char)in[at + 1] << 8;
        if (at + 2 < length) bits |= (unsigned char)in[at + 2];
        *out++ = set[bits >> 18 & 63];
        *out++ = set[bits >> 12 & 63];
        *out++ = at + 1 < length ? set[bits >> 6 & 63] : '=';
        *out++ = at + 2 < length ? set[bits & 63] : '=';
    }
    *out = 0;
}

static void read_config(const char *arguments) {
    char path[256] = "", line[512], user[128] = "", password[256] = "", pair[400];
    const char *named = arguments ? strstr(arguments, "--configfile=") : NULL;
    if (named) sscanf(named, "--configfile=%255s", path);
    FILE *file = fopen(path, "r");
    if (!file) { fprintf(stderr, "config file %s: %s\n", path, strerror(errno)); exit(2); }
    while (fgets(line, sizeof line, file)) {
        sscanf(line, "rpcuser = \"%127[^\"]\"", user);
        sscanf(line, "rpcpass = \"%255[^\"]\"", password);
    }
    fclose(file);
    snprintf(pair, sizeof pair, "%s:%s", user, password);
    base64(pair, expected);
}

static void version(char *into, size_t size) {
    FILE *file = fopen("/version", "r");
    snprintf(into, size, "0");
    if (file) { if (fgets(into, (int)size, file)) into[strcspn(into, "\n")] = 0; fclose(file); }
}

static void result(const char *body, char *into, size_t size) {
    long height = number("height", 1000), peers = number("peers", 2);
    char build[64], *at = into;
    version(build, sizeof build);
    if (strstr(body, "getMainChainHeight") || strstr(body, "getBlockCount")) snprintf(into, size, "%ld", height);
    else if (strstr(body, "getNodeInfo")) snprintf(into, size, "{\"buildversion\":\"%s\",\"connections\":%ld}", build, peers);
    else if (strstr(body, "eth_blockNumber")) snprintf(into, size, "\"0x%lx\"", height);
    else if (strstr(body, "net_peerCount")) snprintf(into, size, "\"0x0\"");
    else if (strstr(body, "eth_syncing")) snprintf(into, size, number("download", 0) ? "{\"currentBlock\":\"0x1\"}" : "false");
    else if (strstr(body, "getPeerInfo")) {
        at += sprintf(at, "[");
        for (long one = 0; one < peers && one < 20; one++)
            at += sprintf(at, "%s{\"id\":\"16Uiu2HA%ld\",\"address\":\"/ip4/10.0.0.1/tcp/18150\",\"state\":\"connected\","
                          "\"graphstate\":{\"tips\":[],\"mainorder\":1,\"mainheight\":%ld,\"layer\":1}}", one ? "," : "", one, height);
        sprintf(at, "]");
    } else snprintf(into, size, "null");
}

static void answer(int client, int needs_password) {
    static char asked[65536], said[8192], whole[9000];
    size_t got = 0;
    char *body = NULL;
    for (;;) {
        ssize_t part = read(client, asked + got, sizeof asked - 1 - got);
        if (part <= 0) return;
        asked[got += (size_t)part] = 0;
        char *head = strstr(asked, "\r\n\r\n"), *length = strcasestr(asked, "content-length:");
        if (head && (!length || got >= (size_t)(head + 4 - asked) + (size_t)atol(length + 15))) { body = head + 4; break; }
    }
    char *given = strcasestr(asked, "authorization: basic ");
    int is_right = given && !strncmp(given + 21, expected, strlen(expected)) && given[21 + strlen(expected)] == '\r';
    if (needs_password && !is_right) {
        static const char no[] = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 18\r\nConnection: close\r\n\r\n401 Unauthorized.\n";
        if (write(client, no, sizeof no - 1) < 0) return;
        return;
    }
    result(body, said, sizeof said);
    int size = snprintf(whole, sizeof whole, "{\"jsonrpc\":\"1.0\",\"id\":1,\"result\":%s}", said);
    dprintf(client, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", size, whole);
}

static int listening(int port) {
    int yes = 1, made = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
    setsockopt(made, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(made, (struct sockaddr *)&at, sizeof at) || listen(made, 16)) { perror("listen"); exit(3); }
    return made;
}

static void grow(void) {
    static char block[1 << 16];
    long wanted = number("grow", 0);
    FILE *file = wanted ? fopen(DATA "/blocks", "w") : NULL;
    if (!file) return;
    memset(block, 'x', sizeof block);
    for (long one = 0; one < wanted * 16; one++) fwrite(block, sizeof block, 1, file);
    fclose(file);
    unlink(DATA "/grow");
}

int main(void) {
    char build[64];
    version(build, sizeof build);
    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGTERM, stop);
    signal(SIGINT, stop);
    signal(SIGPIPE, SIG_IGN);
    if (!access("/broken", F_OK)) { fprintf(stderr, "node %s: panic: the database cannot be opened\n", build); return 7; }
    read_config(getenv("NODE_ARGS"));
    printf("node %s mines to %s on %s\n", build, getenv("MINING_ADDRESS") ? getenv("MINING_ADDRESS") : "nobody", getenv("CHAIN"));
    struct pollfd ports[] = {{listening(38131), POLLIN, 0}, {listening(18545), POLLIN, 0}, {listening(18150), POLLIN, 0}};
    for (;;) {
        if (poll(ports, 3, 1000) == 0 && number("download", 0))
            printf("WARN Client in initial download, qng is downloading blocks...\n");
        grow();
        for (int one = 0; one < 3; one++) {
            if (!(ports[one].revents & POLLIN)) continue;
            int client = accept(ports[one].fd, NULL, NULL);
            if (client < 0) continue;
            struct timeval patience = {.tv_sec = 2};
            setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
            if (one < 2) answer(client, one == 0);
            close(client);
        }
    }
}
