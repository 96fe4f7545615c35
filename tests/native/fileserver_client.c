/*
 * fileserver_client.c - drives the example fileserver: many connections at once, each with several requests
 * on the way, every answer compared.
 *
 * usage: fileserver_client PORT ROOT CONNECTIONS REQUESTS      ROOT has the files f0 .. f9
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FILES = 10, KINDS = FILES + 3, AHEAD = 4 };

/* A request and its answer. */
static struct {
    char request[64];
    char *answer;
    size_t length;
} kinds[KINDS];

struct client {
    int fd;
    unsigned random;
    int sent, answered;   /* requests */
    int expected[AHEAD];  /* kinds, by number % AHEAD */
    char out[AHEAD * 64]; /* not yet sent */
    size_t out_length;
    size_t matched; /* bytes of the answer that is coming */
};

static void die(const char *what)
{
    fprintf(stderr, "fileserver_client: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void load(const char *root)
{
    for (int i = 0; i < FILES; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/f%d", root, i);
        FILE *file = fopen(path, "rb");
        if (file == NULL)
            die(path);
        fseek(file, 0, SEEK_END);
        size_t size = (size_t)ftell(file);
        rewind(file);
        kinds[i].answer = malloc(size + 64);
        kinds[i].length = (size_t)sprintf(kinds[i].answer, "OK %zu\n", size);
        if (fread(kinds[i].answer + kinds[i].length, 1, size, file) != size)
            die(path);
        kinds[i].length += size;
        fclose(file);
        snprintf(kinds[i].request, sizeof kinds[i].request, "GET f%d\n", i);
    }
    static const char *const others[][2] = {{"GET missing\n", "ERR cannot open\n"},
                                            {"GET ../secret\n", "ERR outside of the root\n"},
                                            {"hello, server\n", "hello, server\n"}};
    for (int i = 0; i < 3; i++) {
        strcpy(kinds[FILES + i].request, others[i][0]);
        kinds[FILES + i].answer = strdup(others[i][1]);
        kinds[FILES + i].length = strlen(others[i][1]);
    }
}

static void ask(struct client *c, int requests)
{
    while (c->sent < requests && c->sent - c->answered < AHEAD) {
        c->random = c->random * 1103515245u + 12345u;
        int kind = (int)((c->random >> 16) % KINDS);
        c->expected[c->sent++ % AHEAD] = kind;
        size_t length = strlen(kinds[kind].request);
        memcpy(c->out + c->out_length, kinds[kind].request, length);
        c->out_length += length;
    }
    while (c->out_length > 0) {
        ssize_t n = send(c->fd, c->out, c->out_length, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN)
            return;
        if (n < 0)
            die("send");
        c->out_length -= (size_t)n;
        memmove(c->out, c->out + n, c->out_length);
    }
}

static void check(struct client *c, const char *bytes, size_t length)
{
    while (length > 0) {
        int kind = c->expected[c->answered % AHEAD];
        size_t n = kinds[kind].length - c->matched;
        n = n < length ? n : length;
        if (c->answered == c->sent || memcmp(kinds[kind].answer + c->matched, bytes, n) != 0) {
            fprintf(stderr, "fileserver_client: answer %d, to %s, is wrong at byte %zu\n", c->answered,
                    kinds[kind].request, c->matched);
            exit(1);
        }
        c->matched += n;
        bytes += n;
        length -= n;
        if (c->matched == kinds[kind].length) {
            c->answered++;
            c->matched = 0;
        }
    }
}

int main(int argc, char **argv)
{
    if (argc != 5)
        return 2;
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)atoi(argv[1])),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int connections = atoi(argv[3]), each = atoi(argv[4]) / connections, left = connections;
    load(argv[2]);
    struct client *clients = calloc((size_t)connections, sizeof *clients);
    int poll = epoll_create1(0);
    for (int i = 0; i < connections; i++) {
        struct client *c = &clients[i];
        c->random = (unsigned)i;
        c->fd = socket(AF_INET, SOCK_STREAM, 0);
        if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&address, sizeof address) != 0)
            die("connect");
        fcntl(c->fd, F_SETFL, O_NONBLOCK);
        struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = c};
        epoll_ctl(poll, EPOLL_CTL_ADD, c->fd, &event);
    }
    static char bytes[1 << 16];
    while (left > 0) {
        struct epoll_event events[64];
        int count = epoll_wait(poll, events, 64, 60000);
        if (count <= 0 && errno != EINTR)
            die(count == 0 ? "no answer for a minute" : "epoll_wait");
        for (int i = 0; i < count; i++) {
            struct client *c = events[i].data.ptr;
            ssize_t n;
            ask(c, each);
            while ((n = recv(c->fd, bytes, sizeof bytes, 0)) > 0) {
                check(c, bytes, (size_t)n);
                ask(c, each);
            }
            if (n == 0 || errno != EAGAIN)
                die("the server closed a connection");
            if (c->answered == each) {
                close(c->fd);
                left--;
            }
        }
    }
    printf("%d answers on %d connections\n", each * connections, connections);
    return 0;
}
