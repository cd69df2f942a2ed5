// errno as libm.a refers to it: a thread word by that name. What sin and its like set there nobody reads; the program's
// errno is the goroutine's (libc.cpp). A file of its own, since <errno.h> makes the name a macro.
__thread int errno;
