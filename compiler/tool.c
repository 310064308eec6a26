// compiler/tool.c: a temporary folder that always goes away, and programs run in it.
#include "compiler/tool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"

extern char **environ;

static void hold_signals(wx_workdir *w) {
    static const int deadly[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < sizeof deadly / sizeof *deadly; i++) sigaddset(&set, deadly[i]);
    pthread_sigmask(SIG_BLOCK, &set, &w->before);
}

bool wx_workdir_open(wx_workdir *w, wx_error *e) {
    const char *base = getenv("TMPDIR");
    if (!base || !*base || strlen(base) > 200) base = "/tmp";
    snprintf(w->path, sizeof w->path, "%s/wasmx.XXXXXX", base);
    hold_signals(w);
    if (mkdtemp(w->path)) return true;
    w->path[0] = 0;
    return wx_fail(e, WX_ERR_IO, "cannot make a temporary folder in %.60s: %s", base, strerror(errno));
}

void wx_workdir_close(wx_workdir *w) {
    DIR *dir = w->path[0] ? opendir(w->path) : NULL;
    for (struct dirent *entry; dir && (entry = readdir(dir));)
        if (entry->d_name[0] != '.') unlinkat(dirfd(dir), entry->d_name, 0);
    if (dir) closedir(dir), rmdir(w->path);
    wx_arena_free(&w->names);
    pthread_sigmask(SIG_SETMASK, &w->before, NULL);
}

const char *wx_workdir_file(wx_workdir *w, const char *name) {
    return wx_arena_printf(&w->names, "%s/%s", w->path, name);
}

// Standard input from nowhere, output and messages to a file.
static int spawn(const wx_workdir *w, const char *const *argv, const char *log, pid_t *pid) {
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, log, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_adddup2(&files, STDOUT_FILENO, STDERR_FILENO);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    posix_spawnattr_setsigmask(&attributes, &w->before);
    int failure = posix_spawnp(pid, argv[0], &files, &attributes, (char *const *)(uintptr_t)argv, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    return failure;
}

static bool explain(const char *program, const char *log, wx_error *e) {
    wx_buf text = {0};
    wx_error ignored = {0};
    wx_file_read(&text, log, &ignored);
    wx_buf_byte(&text, 0);
    const char *line = (const char *)text.data;
    line += strspn(line, "\n");
    wx_fail(e, WX_ERR_BACKEND, "%s failed%s%.*s", program, *line ? ": " : "", (int)strcspn(line, "\n"), line);
    wx_buf_free(&text);
    return false;
}

bool wx_tool_run(wx_workdir *w, const char *const *argv, wx_error *e) {
    const char *log = wx_workdir_file(w, "log");
    pid_t pid;
    int status, failure = spawn(w, argv, log, &pid);
    if (failure) return wx_fail(e, WX_ERR_BACKEND, "cannot run %s: %s", argv[0], strerror(failure));
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR) return wx_fail(e, WX_ERR_BACKEND, "%s was lost: %s", argv[0], strerror(errno));
    return (WIFEXITED(status) && WEXITSTATUS(status) == 0) || explain(argv[0], log, e);
}

const char *wx_library_folder(wx_arena *names) {
    const char *given = getenv("WASMX_LIBDIR");
    if (given && *given) return given;
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    path[n > 0 ? n : 0] = 0;
    for (int up = 0; up < 2; up++) {
        char *slash = strrchr(path, '/');
        if (slash) *slash = 0;
    }
    return wx_arena_printf(names, "%s/lib", path);
}
