/*
 * A display or a sensor on a microcontroller, without any library: the bytes of the two requests, for any TCP stack. Here the stack is
 * that of a PC, so that it can be tried:   cc -o display examples/display.c && ./display 127.0.0.1 8080 "$(cat data/api-key)"
 *
 * 1. POST /api/v1/values: what a sensor has read. 200 means that it is on the server's disk.
 * 2. GET /display.raw: what an e-paper of 480 x 280 in 4 greys shows, two bits a pixel, 33,600 bytes, row by row, most significant
 *    bits first, 0 black ... 3 white. 304 means: what is on the paper is right, go back to sleep for max-age seconds.
 */
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int dial(const char *host, const char *port) {
  struct addrinfo want = {.ai_socktype = SOCK_STREAM}, *found;
  if (getaddrinfo(host, port, &want, &found) != 0) return -1;
  int line = socket(found->ai_family, found->ai_socktype, 0);
  if (line >= 0 && connect(line, found->ai_addr, found->ai_addrlen) != 0) {
    close(line);
    line = -1;
  }
  freeaddrinfo(found);
  return line;
}

/* Sends a request and reads the whole answer; HTTP/1.0 has neither chunks nor a connection that stays. Returns its length. */
static int ask(const char *host, const char *port, const char *request, char *answer, int room) {
  int line = dial(host, port), length = 0, got;
  if (line < 0) return -1;
  if (write(line, request, strlen(request)) < 0) return -1;
  while (length < room - 1 && (got = read(line, answer + length, room - 1 - length)) > 0) length += got;
  close(line);
  answer[length] = 0;
  return length;
}

/* The value of a header; lower case, as the server writes it. */
static int header(const char *answer, const char *name, char *out, int room) {
  const char *at = strstr(answer, name);
  if (!at) return 0;
  at += strlen(name);
  int n = (int)strcspn(at, "\r\n");
  snprintf(out, room, "%.*s", n, at);
  return 1;
}

int main(int count, char **given) {
  if (count < 4) return fprintf(stderr, "usage: display HOST PORT KEY [ETAG]\n"), 2;
  const char *host = given[1], *port = given[2], *key = given[3];
  static char request[1024], answer[64 * 1024], body[256], etag[64], age[64];

  /* A sensor. Without `time` the server takes the moment of receipt. */
  snprintf(body, sizeof body, "meter=boiler-room\n1.7.0=0.948 kW\n1.8.0=12345.678 kWh\n0-1:24.2.1=1234.567 m3\n");
  snprintf(request, sizeof request,
           "POST /api/v1/values HTTP/1.0\r\nHost: %s:%s\r\nAuthorization: Bearer %s\r\n"
           "Content-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s",
           host, port, key, (int)strlen(body), body);
  if (ask(host, port, request, answer, sizeof answer) < 0) return fprintf(stderr, "no answer\n"), 1;
  printf("POST: %.3s %s", answer + 9, strstr(answer, "\r\n\r\n") + 4);

  /* A display. The ETag of the last picture stays in memory that survives deep sleep. */
  snprintf(request, sizeof request,
           "GET /display.raw?w=480&h=280&greys=4&format=day HTTP/1.0\r\nHost: %s:%s\r\nAuthorization: Bearer %s\r\n"
           "If-None-Match: %s\r\n\r\n",
           host, port, key, count > 4 ? given[4] : "\"\"");
  int length = ask(host, port, request, answer, sizeof answer);
  if (length < 0) return fprintf(stderr, "no answer\n"), 1;
  const char *picture = strstr(answer, "\r\n\r\n");
  header(answer, "etag: ", etag, sizeof etag);
  header(answer, "cache-control: private, max-age=", age, sizeof age);
  printf("GET: %.3s, %d bytes of picture, etag %s, sleep %s s\n", answer + 9,
         picture ? length - (int)(picture + 4 - answer) : 0, etag, age);
  return 0;
}
