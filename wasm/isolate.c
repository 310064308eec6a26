// wasm/isolate.c: a child process that sends back an error and a buffer.
//
//     parent ── fork ──► child: job, then over the pipe: [ wx_error | bytes of the buffer ], _exit
//        └── reads to the end, waits; a child that died has sent too little
#include "wasm/isolate.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static void send_all(int fd, const void *data, size_t len) {
    const char *at = data;
    while (len) {
        ssize_t n = write(fd, at, len);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) _exit(1);
        at += n;
        len -= (size_t)n;
    }
}

// What the code says while it dies is of no use to anyone: the parent reports.
static void be_quiet(void) {
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (null >= 0) dup2(null, STDERR_FILENO);
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
}

static _Noreturn void child(wx_isolated_job *job, void *arg, unsigned cpu_seconds, int fd) {
    wx_buf out = {0};
    wx_error e = {0};
    be_quiet();
    setrlimit(RLIMIT_CPU, &(struct rlimit){cpu_seconds, cpu_seconds});
    alarm(20 * cpu_seconds); // a lock that another thread held at the fork takes no processor time
    job(arg, &out, &e);
    send_all(fd, &e, sizeof e);
    send_all(fd, out.data, out.len);
    _exit(0);
}

static void receive_all(int fd, wx_buf *out) {
    char chunk[1 << 14];
    for (;;) {
        ssize_t n = read(fd, chunk, sizeof chunk);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return;
        wx_buf_add(out, chunk, (size_t)n);
    }
}

static bool ended_well(pid_t pid) {
    int status = 0;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR) return true; // someone else collects children; what arrived tells
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool unpack(bool ended, wx_buf *out, wx_error *e) {
    if (!ended || out->len < sizeof *e) return wx_fail(e, WX_ERR_TEXT, "unexpected token: the text parser gave up");
    memcpy(e, out->data, sizeof *e);
    out->len -= sizeof *e;
    memmove(out->data, out->data + sizeof *e, out->len);
    return e->code == WX_OK;
}

bool wx_isolated(wx_isolated_job *job, void *arg, unsigned cpu_seconds, wx_buf *out, wx_error *e) {
    int ends[2];
    if (e->code != WX_OK) return false;
    if (pipe2(ends, O_CLOEXEC) != 0) return wx_fail(e, WX_ERR_IO, "cannot make a pipe: %s", strerror(errno));
    pid_t pid = fork();
    if (pid == 0) child(job, arg, cpu_seconds, ends[1]);
    int reason = errno;
    close(ends[1]);
    out->len = 0;
    if (pid > 0) receive_all(ends[0], out);
    close(ends[0]);
    if (pid < 0) return wx_fail(e, WX_ERR_IO, "cannot start a process: %s", strerror(reason));
    return unpack(ended_well(pid), out, e);
}
