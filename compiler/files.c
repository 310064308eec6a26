// compiler/files.c: reading inputs, and writing outputs so that a failure or a kill leaves no half file.
//
// in: paths and bytes   out: files   needs: nothing else of the compiler
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "compiler/compiler.h"

void wx_buffer_free(wasmx_buffer *b) {
    free(b->data);
    *b = (wasmx_buffer){0};
}

bool wx_input_read(const char *path, wasmx_buffer *out, wasmx_compile_error *err) {
    wx_buf bytes = {0};
    wx_error e = {0};
    bool ok = wx_file_read(&bytes, path, &e);
    if (!ok) wx_error_line(&e, path, err->line, sizeof err->line), wx_buf_free(&bytes);
    *out = (wasmx_buffer){bytes.data, bytes.len};
    return ok;
}

static bool cannot_write(const char *path, wasmx_compile_error *err) {
    snprintf(err->line, sizeof err->line, "%s: cannot write: %s", path, strerror(errno));
    return false;
}

static bool write_special(const wx_out_file *f, wasmx_compile_error *err) {
    bool standard = strcmp(f->path, "-") == 0;
    int fd = standard ? STDOUT_FILENO : open(f->path, O_WRONLY | O_CLOEXEC);
    bool ok = (fd >= 0 && wx_fd_write(fd, f->data.data, f->data.size)) || cannot_write(f->path, err);
    if (!standard && fd >= 0) close(fd);
    return ok;
}

static mode_t mode_of(const wx_out_file *f) {
    mode_t mask = umask(0);
    umask(mask);
    return (f->executable ? 0777 : 0666) & ~mask;
}

// Fills temp, a template; nothing is left when it fails.
static bool write_temp(const wx_out_file *f, char *temp, wasmx_compile_error *err) {
    int fd = mkostemp(temp, O_CLOEXEC);
    if (fd < 0) return cannot_write(f->path, err);
    bool ok = wx_fd_write(fd, f->data.data, f->data.size) && fchmod(fd, mode_of(f)) == 0;
    ok = close(fd) == 0 && ok;
    if (ok) return true;
    cannot_write(f->path, err);
    unlink(temp);
    return false;
}

bool wx_outputs_write(const wx_out_file *files, size_t count, wasmx_compile_error *err) {
    wx_arena arena = {0};
    char **temps = wx_arena_array(&arena, count, sizeof *temps);
    bool ok = true;
    size_t made = 0, placed = 0;
    for (; ok && made < count; made++) {
        const char *path = files[made].path;
        temps[made] = wx_path_is_special(path) ? NULL : wx_arena_printf(&arena, "%s.XXXXXX", path);
        if (temps[made] && !write_temp(&files[made], temps[made], err)) ok = false, temps[made] = NULL;
    }
    for (; ok && placed < made; placed++) {
        if (!temps[placed]) ok = write_special(&files[placed], err);
        else if (rename(temps[placed], files[placed].path) == 0) temps[placed] = NULL;
        else ok = cannot_write(files[placed].path, err);
    }
    for (size_t i = 0; i < made; i++)
        if (temps[i]) unlink(temps[i]);
    wx_arena_free(&arena);
    return ok;
}
