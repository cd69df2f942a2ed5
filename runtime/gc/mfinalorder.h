// The order in which dead objects are destroyed. (For mfinal.cpp.)
#pragma once

#include "runtime/gc/mgcwork.h"

namespace runtime {

// Marks what can be reached from dead objects and is white, and says of each what it is: those that an object refers to
// before the object itself, the members of a circle one after the other. With the world stopped, by one marker.
class finOrder {
 public:
  finOrder(gcWork* w, void (*found)(uintptr obj, const mspan* s)) : w_(w), found_(found) {}
  ~finOrder();
  finOrder(const finOrder&) = delete;
  finOrder& operator=(const finOrder&) = delete;
  // From the object that p points into on; nothing if it is marked.
  void from(uintptr p);

 private:
  template <class T>
  struct array {
    T* v = nullptr;
    std::uint64_t n = 0, cap = 0;
    void push(T t) {
      if (UNLIKELY(n == cap)) grow();
      v[n++] = t;
    }
    T& top() { return v[n - 1]; }
    void grow();
    void drop();
  };
  struct frame {
    std::uint64_t at;     // the object's place in open_
    const uintptr* next;  // the word to be looked at
  };
  struct edge {
    const uintptr* at;  // the word; null: there is none
    uintptr obj;        // what it points to
    mspan* s;
    std::uint64_t place;  // of obj in open_, plus one; 0: it is white
  };

  edge nextEdge(const uintptr* at, const uintptr* end) const;
  void enter(uintptr obj, mspan* s);
  void close(std::uint64_t at);
  std::uint64_t slotOf(uintptr obj) const;
  void rehash();

  gcWork* w_;
  void (*found_)(uintptr obj, const mspan* s);
  array<uintptr> open_;         // objects whose circle is not complete yet, in the order of their discovery
  array<std::uint64_t> roots_;  // places in open_ where, for all that is known, a circle begins; each ends at the next
  array<frame> path_;           // the objects from the one that was given to the one that is being read
  array<std::uint64_t> where_;  // a hash table from an object to its place in open_, plus one; cap is its size
};

}  // namespace runtime
