// The treap of addresses that somebody waits on, by itself: no lock, no goroutine, so that unit tests can drive it.
//
// For sema.cpp, which it is a part of and which says what holds; it is one file with it to the compiler.
#pragma once

#include "runtime/base/panic.h"
#include "runtime/sync/semaroot.h"

namespace runtime {

namespace {

// Hangs `s` where `old` hangs under parent (null: at the root).
ALWAYS_INLINE void relink(semaRoot* root, sudog* parent, sudog* old, sudog* s) {
  if (parent == nullptr)
    root->treap = s;
  else if (parent->prev == old)
    parent->prev = s;
  else
    parent->next = s;
  if (s != nullptr) s->parent = parent;
}

// Lifts s above its parent; the order by address stays.
void rotateUp(semaRoot* root, sudog* s) {
  sudog* x = s->parent;
  sudog* above = x->parent;
  sudog* moved;  // the child of s that lies between s and x
  if (x->prev == s) {
    moved = s->next;
    s->next = x;
    x->prev = moved;
  } else {
    if (x->next != s) throw_("semaRoot rotate: not a child");
    moved = s->prev;
    s->prev = x;
    x->next = moved;
  }
  if (moved != nullptr) moved->parent = x;
  relink(root, above, x, s);
  x->parent = s;
}

// Puts s into the tree in the place of t.
void takePlace(semaRoot* root, sudog* t, sudog* s) {
  s->ticket = t->ticket;
  s->prev = t->prev;
  s->next = t->next;
  if (s->prev != nullptr) s->prev->parent = s;
  if (s->next != nullptr) s->next->parent = s;
  relink(root, t->parent, t, s);
  t->parent = nullptr;
  t->prev = nullptr;
  t->next = nullptr;
}

sudog* find(semaRoot* root, const void* addr, sudog** last, bool* left) {
  sudog* t = root->treap;
  while (t != nullptr && t->elem != addr) {
    *last = t;
    *left = reinterpret_cast<uintptr>(addr) < reinterpret_cast<uintptr>(t->elem);
    t = *left ? t->prev : t->next;
  }
  return t;
}

// ticket: of the node, should addr be a new one; not 0, which means "in no tree".
[[maybe_unused]] void queue(semaRoot* root, std::uint32_t* addr, sudog* s, bool lifo, std::uint32_t ticket) {
  s->elem = addr;
  s->prev = nullptr;
  s->next = nullptr;
  s->parent = nullptr;
  s->waitlink = nullptr;
  s->waittail = nullptr;
  sudog* last = nullptr;
  bool left = false;
  if (sudog* t = find(root, addr, &last, &left)) {
    if (lifo) {
      takePlace(root, t, s);
      s->waitlink = t;
      s->waittail = t->waittail != nullptr ? t->waittail : t;
      t->waittail = nullptr;
    } else {
      if (t->waittail == nullptr)
        t->waitlink = s;
      else
        t->waittail->waitlink = s;
      t->waittail = s;
    }
    return;
  }
  s->ticket = ticket;
  s->parent = last;
  if (last == nullptr)
    root->treap = s;
  else if (left)
    last->prev = s;
  else
    last->next = s;
  while (s->parent != nullptr && s->parent->ticket > s->ticket) rotateUp(root, s);
}

[[maybe_unused]] sudog* dequeue(semaRoot* root, std::uint32_t* addr) {
  sudog* last = nullptr;
  bool left = false;
  sudog* s = find(root, addr, &last, &left);
  if (s == nullptr) return nullptr;
  if (sudog* t = s->waitlink; t != nullptr) {
    sudog* tail = s->waittail;
    takePlace(root, s, t);
    t->waittail = t->waitlink != nullptr ? tail : nullptr;
  } else {
    // Lift the children, the one with the smaller ticket first, until s is a leaf.
    while (s->prev != nullptr || s->next != nullptr) {
      bool l = s->next == nullptr || (s->prev != nullptr && s->prev->ticket < s->next->ticket);
      rotateUp(root, l ? s->prev : s->next);
    }
    relink(root, s->parent, s, nullptr);
  }
  s->elem = nullptr;
  s->ticket = 0;
  return s;
}

}  // namespace

}  // namespace runtime
