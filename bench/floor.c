/*
 * The floor of the benches with a server: how long the exchange takes that asks
 * after keys, if a program does nothing but that.
 *
 *   floor PORT KEY...
 *
 * For each line with a number on its input it sends `GETRANGE key 0 23` for all
 * keys in one write and reads their replies, so many times over one connection,
 * and prints wall and processor time, in nanoseconds. Each key holds at least
 * 24 bytes.
 */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define REPLY (sizeof "$24\r\n" - 1 + 24 + sizeof "\r\n" - 1)

static void fail(const char *what)
{
  perror(what);
  exit(1);
}

static long long now(clockid_t clock)
{
  struct timespec time;
  clock_gettime(clock, &time);
  return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static int connected(const char *port)
{
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(atoi(port)) };
  int yes = 1, connection = socket(AF_INET, SOCK_STREAM, 0);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connection < 0 || connect(connection, (struct sockaddr *)&address, sizeof address))
    fail("connect");
  if (setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes))
    fail("setsockopt");
  return connection;
}

static void exchange(int connection, const char *request, size_t size, size_t expected)
{
  static char replies[1 << 16];
  for (size_t sent = 0; sent < size;) {
    ssize_t count = write(connection, request + sent, size - sent);
    if (count <= 0)
      fail("write");
    sent += count;
  }
  for (size_t got = 0; got < expected;) {
    ssize_t count = read(connection, replies, sizeof replies);
    if (count <= 0)
      fail("read");
    if (got == 0 && memcmp(replies, "$24\r\n", 5)) {
      fprintf(stderr, "floor: the key does not hold 24 bytes\n");
      exit(1);
    }
    got += count;
  }
}

int main(int argc, char **argv)
{
  char *request = NULL;
  size_t size = 0;
  long count;
  if (argc < 3)
    return 2;
  int connection = connected(argv[1]);
  FILE *packed = open_memstream(&request, &size);
  for (int i = 2; i < argc; i++)
    fprintf(packed, "*4\r\n$8\r\nGETRANGE\r\n$%zu\r\n%s\r\n$1\r\n0\r\n$2\r\n23\r\n", strlen(argv[i]), argv[i]);
  fclose(packed);
  while (scanf("%ld", &count) == 1) {
    long long wall = now(CLOCK_MONOTONIC), processor = now(CLOCK_PROCESS_CPUTIME_ID);
    for (long i = 0; i < count; i++)
      exchange(connection, request, size, (argc - 2) * REPLY);
    processor = now(CLOCK_PROCESS_CPUTIME_ID) - processor;
    wall = now(CLOCK_MONOTONIC) - wall;
    printf("%lld %lld\n", wall, processor);
    fflush(stdout);
  }
  return 0;
}
