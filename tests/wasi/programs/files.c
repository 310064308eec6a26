// tests/wasi/programs/files.c: open, read, write, seek, sync, sizes, times, flags, descriptors.
#include <sys/time.h>
#include <sys/uio.h>

#include "say.h"

static void show(const char *name) {
    struct stat st;
    if (stat(name, &st)) printf("%s: %s\n", name, error_name());
    else printf("%s: %s %lld bytes, %d links, modified %lld.%09ld\n", name, S_ISDIR(st.st_mode) ? "directory" : "file",
                S_ISDIR(st.st_mode) ? 0LL : (long long)st.st_size, S_ISDIR(st.st_mode) ? 0 : (int)st.st_nlink,
                (long long)st.st_mtim.tv_sec, (long)st.st_mtim.tv_nsec);
}

static void reading_and_writing(void) {
    char a[8] = "", b[8] = "";
    struct iovec out[] = {{"hello ", 6}, {"", 0}, {"world\n", 6}}, in[] = {{a, 5}, {b, 7}};
    int fd = open("f", O_RDWR | O_CREAT | O_EXCL, 0644);
    SAY(writev(fd, out, 3));
    SAY(lseek(fd, 0, SEEK_CUR));
    SAY(lseek(fd, 0, SEEK_SET));
    SAY(readv(fd, in, 2));
    printf("%.5s|%.6s\n", a, b);
    SAY(pread(fd, a, 3, 6));
    printf("%.3s\n", a);
    SAY(pwrite(fd, "W", 1, 6));
    SAY(lseek(fd, 0, SEEK_CUR));
    SAY(lseek(fd, -1, SEEK_SET));
    SAY(lseek(fd, 5, SEEK_END));
    SAY(write(fd, "x", 1));
    SAY(lseek(fd, 1, 77));
    SAY(ftruncate(fd, 100));
    SAY(lseek(fd, 0, SEEK_END));
    SAY(ftruncate(fd, -1));
    SAY(posix_fallocate(fd, 50, 100));
    SAY(lseek(fd, 0, SEEK_END));
    SAY(posix_fadvise(fd, 0, 10, POSIX_FADV_WILLNEED));
    SAY(fsync(fd));
    SAY(fdatasync(fd));
    SAY(close(fd));
    SAY(close(fd));
    SAY(read(fd, a, 1));
    SAY(write(99, a, 1));
}

static void opening(void) {
    char c;
    SAY_OK(open("f", O_RDWR | O_CREAT | O_EXCL, 0644));
    SAY_OK(open("missing", O_RDONLY));
    SAY_OK(open("f/x", O_RDONLY));
    SAY_OK(open("f", O_RDONLY | O_DIRECTORY));
    SAY_OK(open(".", O_RDWR));
    int reads = open("f", O_RDONLY), writes = open("f", O_WRONLY | O_APPEND);
    SAY(write(reads, "x", 1));
    SAY(read(writes, &c, 1));
    SAY(lseek(writes, 0, SEEK_SET));
    SAY(write(writes, "end", 3));
    SAY(lseek(writes, 0, SEEK_CUR));
    SAY(fcntl(writes, F_GETFL) & O_APPEND ? 1 : 0);
    SAY(fcntl(writes, F_SETFL, 0));
    SAY(fcntl(writes, F_GETFL) & O_APPEND ? 1 : 0);
    SAY(lseek(writes, 0, SEEK_SET));
    SAY(write(writes, "START", 5));
    SAY_OK(open("f", O_WRONLY | O_TRUNC));
    SAY(lseek(reads, 0, SEEK_END));
}

static void times(void) {
    struct timespec set[2] = {{1000000000, 5}, {1234567890, 123456789}}, half[2] = {{0, UTIME_OMIT}, {7, 8}};
    int fd = open("t", O_RDWR | O_CREAT, 0644);
    SAY(futimens(fd, set));
    show("t");
    SAY(utimensat(AT_FDCWD, "t", half, 0));
    show("t");
    SAY(utimensat(AT_FDCWD, "missing", half, 0));
    SAY(write(fd, "now", 3)); // what futimens(fd, NULL) does, but for wasi-libc, which sets 1970
    struct stat st;
    SAY(fstat(fd, &st));
    SAY(st.st_mtim.tv_sec > 1700000000);
    SAY(fstat(77, &st));
    show("missing");
}

int main(void) {
    reading_and_writing();
    opening();
    times();
    FILE *f = fopen("stdio", "w+");
    for (int k = 0; k < 10000; k++) fprintf(f, "%d\n", k);
    rewind(f);
    long sum = 0;
    for (int k; fscanf(f, "%d", &k) == 1;) sum += k;
    printf("%ld %ld\n", sum, ftell(f));
    fclose(f);
    return 0;
}
