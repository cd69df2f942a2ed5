// What pure mode does not have: iostreams, locales, regular expressions, files and sockets of C.
//
// A program that uses std::cout would fail to link with some fifty undefined names, none of which says what to do. So
// all those names are defined here, in one section, and that section refers to one symbol that nobody defines. Its name
// is the message: the linker prints it once, with the name of the program's file being linked.
//
//   hosted_only.cpp: undefined reference to `pure mode has no iostreams, locales, …
//
// Invariants
//   - The section is kept only if something that is itself kept refers to it: dead code does not make the link fail.
//   - The functions are never run: no program is linked with them.
// Way not taken: .gnu.warning sections, which warn for each use and leave the fifty errors standing.

// As the C library's own sources list them, by what drags them in.
#define NAMES                                                                                                                                                    \
  /* locale, ctype, conversions: from libstdc++'s ios, locale and sstream */                                                                                     \
  "__ctype_get_mb_cur_max __duplocale __freelocale __iswctype_l __newlocale __nl_langinfo_l __strcoll_l __strftime_l "                                           \
  "__strtod_l __strtof_l __strxfrm_l __towlower_l __towupper_l __uselocale __wcscoll_l __wcsftime_l __wcsxfrm_l "                                                \
  "__wctype_l btowc freelocale iconv iconv_close iconv_open mbrtowc mbsnrtowcs mbsrtowcs newlocale nl_langinfo "                                                 \
  "setlocale strtold_l uselocale wcrtomb wcsnrtombs wctob __ctype_b_loc __ctype_tolower_loc "                                                                    \
  "__ctype_toupper_loc strftime " /* stdio beyond printing */                                                                                                    \
  "fclose fdopen fopen fopen64 freopen fread fgets fgetc getc getchar getline getdelim ungetc fseek ftell fseeko "                                               \
  "ftello fseeko64 ftello64 rewind setvbuf setbuf scanf fscanf sscanf vsscanf __isoc99_sscanf __isoc99_fscanf "                                                  \
  "__isoc99_scanf __isoc23_sscanf feof putwc getwc ungetwc tmpfile popen pclose " /* std::filesystem */                                                 \
  "opendir readdir readdir64 closedir fdopendir dirfd realpath statvfs utimensat truncate symlink link rename mkdir "                                            \
  "readlink unlinkat fchmod fchmodat chdir getcwd remove sendfile fstat64 fstat lstat stat lseek lseek64 " /* the network */                                           \
  "getaddrinfo freeaddrinfo gai_strerror gethostbyname socket connect bind listen accept accept4 send recv sendto "                                              \
  "recvfrom setsockopt getsockopt poll select writev readv epoll_create1 epoll_ctl epoll_wait " /* processes, shared objects */                                  \
  "fork execve execvp waitpid dlopen dlsym dlclose dlerror " /* fmt/chrono.h, whose formatters go through std::locale: get<std::locale>() of fmt 8, 9, 10, 11 */ \
  "_ZNK3fmt2v86detail10locale_ref3getISt6localeEET_v _ZNK3fmt2v96detail10locale_ref3getISt6localeEET_v "                                                         \
  "_ZNK3fmt3v106detail10locale_ref3getISt6localeEET_v _ZNK3fmt3v116detail10locale_ref3getISt6localeEET_v " /* time zones */                                      \
  "localtime localtime_r gmtime gmtime_r mktime tzset asctime ctime"

__asm__(
    ".pushsection .text.hosted_only,\"ax\",@progbits\n"
    ".irp name, " NAMES
    "\n"
    ".globl \\name\n"
    ".type \\name, @function\n"
    "\\name:\n"
    ".endr\n"
    "  ud2\n"
    ".quad \"pure mode has no iostreams, locales, regex, files or sockets of C: link this program in hosted mode, "
    "boot_add_executable(NAME HOSTED ...)\"\n"
    ".popsection\n");
