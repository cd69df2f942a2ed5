// boot::os::signal: signals as values on a channel, as Go's os/signal.
//
//   auto c = boot::make_chan<boot::os::Signal>(1);
//   boot::os::signal::Notify(c, boot::os::Interrupt, boot::os::Terminate);
//   boot::eprintln("got {}", c.recv().String());
//
// A signal is sent without blocking: a channel without room misses it, so give it room for what must not be missed.
// Several channels may ask for the same signal; each gets it.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>

#include "boot/chan.h"

namespace boot::os {

struct Signal {
  int number = 0;
  std::string String() const;  // "interrupt", "user defined signal 1"; "signal 35" for one without a name
  friend bool operator==(Signal, Signal) = default;
};
inline constexpr Signal Interrupt{2}, Hangup{1}, Quit{3}, Kill{9}, User1{10}, User2{12}, Pipe_{13}, Alarm{14},
    Terminate{15}, Child{17}, WindowChange{28};

namespace signal {

// From now on the signals named are sent to c and have no other effect; without names: all that can be caught.
void Notify(chan<Signal> c, std::initializer_list<Signal> sigs);
template <class... S>
void Notify(chan<Signal> c, S... sigs) {
  Notify(c, std::initializer_list<Signal>{sigs...});
}
// Nothing is sent to c any more when this returns.
void Stop(chan<Signal> c);
// The signals do again what they did at the start of the program; without names: all.
void Reset(std::initializer_list<Signal> sigs);
template <class... S>
void Reset(S... sigs) {
  Reset(std::initializer_list<Signal>{sigs...});
}
// The signals are ignored; without names: all.
void Ignore(std::initializer_list<Signal> sigs);
template <class... S>
void Ignore(S... sigs) {
  Ignore(std::initializer_list<Signal>{sigs...});
}
bool Ignored(Signal sig);

}  // namespace signal
}  // namespace boot::os
