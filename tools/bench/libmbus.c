/*
 * How fast libmbus makes normalised XML out of frames, for tools/bench/mbus.ts: reads a frame in hex a line on stdin, and for each
 * prints how many it did a second (best of the rounds), 0 when libmbus refuses it.
 *
 * cc -O3 -o libmbus-bench tools/bench/libmbus.c LIBMBUS/mbus/mbus-protocol.c LIBMBUS/mbus/mbus-protocol-aux.c \
 *    LIBMBUS/mbus/mbus-serial.c LIBMBUS/mbus/mbus-tcp.c -I LIBMBUS -I LIBMBUS/mbus -lm
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <mbus/mbus-protocol.h>
#include <mbus/mbus-protocol-aux.h>

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec * 1e-9;
}

/* One frame to XML; 0 when it is refused. */
static size_t once(const unsigned char *bytes, size_t length) {
  mbus_frame frame;
  mbus_frame_data data;
  size_t size = 0;
  memset(&frame, 0, sizeof frame);
  memset(&data, 0, sizeof data);
  if (mbus_parse(&frame, (unsigned char *)bytes, length) != 0) return 0;
  if (mbus_frame_data_parse(&frame, &data) == 0) {
    char *xml = mbus_frame_data_xml_normalized(&data);
    if (xml) {
      size = strlen(xml);
      free(xml);
    }
  }
  if (data.data_var.record) mbus_data_record_free(data.data_var.record);
  return size;
}

int main(int argc, char **argv) {
  double round = argc > 1 ? atof(argv[1]) : 0.02;
  int rounds = argc > 2 ? atoi(argv[2]) : 20;
  char line[2048];
  while (fgets(line, sizeof line, stdin)) {
    unsigned char bytes[512];
    size_t n = 0;
    for (char *p = line; p[0] && p[1] && n < sizeof bytes; p += 2) {
      unsigned v;
      if (sscanf(p, "%2x", &v) != 1) break;
      bytes[n++] = (unsigned char)v;
    }
    if (once(bytes, n) == 0) {
      printf("0\n");
      fflush(stdout);
      continue;
    }
    double best = 0;
    for (int r = 0; r < rounds; r++) {
      double start = now(), took;
      long count = 0;
      do {
        for (int i = 0; i < 50; i++) once(bytes, n);
        count += 50;
        took = now() - start;
      } while (took < round);
      if (count / took > best) best = count / took;
    }
    printf("%.0f\n", best);
    fflush(stdout);
  }
  return 0;
}
