// What a program asks of the system: its arguments, its environment, files and pipes.
//
// A call that may block hands its P over to another thread meanwhile, so that other goroutines go on (entersyscall and
// exitsyscall around it). Interrupted calls are repeated.
//
// Errors: the calls on descriptors (Open, Read, Write, Close) return the kernel's answer, a negative error number on
// failure, and Strerror(-r) is its text. ReadFile and Pipe, whose result is a value, throw PathError and SyscallError,
// whose texts are Go's: "open x: no such file or directory".
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

namespace boot::os {

// The command line; Args()[0] is the program's name. Empty if the program was started without any.
std::span<const char* const> Args();

// The value of an environment variable, "" if it is not set; LookupEnv tells the two cases apart.
std::string_view Getenv(std::string_view name);
std::optional<std::string_view> LookupEnv(std::string_view name);

// Ends the program: runs what std::atexit and static objects left to do, no destructors of this or other goroutines.
[[noreturn]] void Exit(int code);

// The kernel's text for an error number, as Go prints it; "errno N" for one it does not know.
std::string Strerror(int err);

struct SyscallError : std::runtime_error {  // "pipe2: too many open files"
  SyscallError(std::string_view call, int err);
  int err;
};
struct PathError : std::runtime_error {  // "open x: no such file or directory"
  PathError(std::string_view op, std::string_view path, int err);
  int err;
};

// The whole file.
std::string ReadFile(std::string_view path);

// Flags are the kernel's numbers (<fcntl.h>): O_RDONLY is 0. O_CLOEXEC is added. A descriptor, or -errno.
int Open(std::string_view path, int flags = 0, unsigned mode = 0666);
// Up to n bytes; 0 is the end of the file.
std::ptrdiff_t Read(int fd, void* p, std::size_t n);
// As Read, from a place in the file, whose own position stays.
std::ptrdiff_t Pread(int fd, void* p, std::size_t n, std::int64_t off);
// All n bytes; fewer only if an error came after some had been written, which the next call will return.
std::ptrdiff_t Write(int fd, const void* p, std::size_t n);
int Close(int fd);

// What the kernel knows of a file: its type and permissions as in <sys/stat.h>, its size. 0, or -errno.
struct FileInfo {
  std::uint32_t mode;
  std::int64_t size;
  bool IsRegular() const { return (mode & 0170000) == 0100000; }
  bool IsDir() const { return (mode & 0170000) == 0040000; }
};
int Stat(std::string_view path, FileInfo& info);
int Fstat(int fd, FileInfo& info);

struct PipeEnds {
  int r, w;
};
PipeEnds Pipe();  // auto [r, w] = Pipe();

// Whether a descriptor is a terminal.
bool IsTerminal(int fd);

}  // namespace boot::os
