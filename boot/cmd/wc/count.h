// Counting lines and words in a piece of text that may begin and end in the middle of a word.
#pragma once

#include <cstddef>
#include <cstdint>

// What a stretch of bytes adds up to. In the C locale there are three kinds of bytes: white space ends a word, printable
// bytes are in one, and all others (control characters, bytes from 0x80) are neither: a word goes on through them, but
// they begin none.
struct Counts {
  std::uint64_t lines = 0, words = 0, bytes = 0;
  enum Kind : std::uint8_t { none, space, printable };
  Kind first = none;  // the first byte that is not neutral
  Kind last = none;   // the last one

  // Counts n more bytes.
  void add(const unsigned char* p, std::size_t n);
  // Appends what was counted in the text that follows.
  void append(const Counts& next) {
    lines += next.lines;
    words += next.words;
    bytes += next.bytes;
    if (last == printable && next.first == printable) words--;  // one word that the cut went through
    if (first == none) first = next.first;
    if (next.last != none) last = next.last;
  }
};
