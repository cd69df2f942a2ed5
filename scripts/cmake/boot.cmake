# boot_add_executable(NAME [HOSTED | PIE] SRC...): a program that starts by this runtime. Sources are .cpp and .S.
# HOSTED: with glibc and the C++ library as shared libraries, for programs that use other libraries.
# PIE: loaded at another address each time, with a library that was built with BOOT_PIE=ON. Without it a program's addresses are the same in each run, for who learns from them.
#
# Used by this project's own programs and, installed, by every project that does find_package(boot CONFIG).

# User code is compiled with the stack check in every prologue (-fsplit-stack) and so that a hardware fault can be
# turned into an exception at any instruction. No tail calls: a function whose last act is a misuse, or a call of nil,
# would be missing in the traceback that tells of it. No folding of functions that look alike: a goroutine would be shown
# without a function of its own, or in one that it never was in.
set(BOOT_USER_FLAGS
    -U_FORTIFY_SOURCE -fno-stack-protector -fno-stack-clash-protection -fcf-protection=none -fno-pie -fsplit-stack
    -fnon-call-exceptions -fasynchronous-unwind-tables -fno-delete-dead-exceptions -fno-delete-null-pointer-checks
    -fno-omit-frame-pointer -fno-optimize-sibling-calls -fno-ipa-icf -ffunction-sections -fdata-sections)
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  # It has no such options.
  list(REMOVE_ITEM BOOT_USER_FLAGS -fno-delete-dead-exceptions -fno-ipa-icf)
endif()
# fmt without std::locale, and without assertions that would print through stdio.
set(BOOT_PURE_FLAGS "-DFMT_STATIC_THOUSANDS_SEPARATOR=','" "-DFMT_ASSERT(condition,message)=((void)0)")

if(EXISTS "${CMAKE_CURRENT_LIST_DIR}/text.ld")
  set(BOOT_TEXT_LD "${CMAKE_CURRENT_LIST_DIR}/text.ld")
  set(BOOT_TEXT_HOSTED_LD "${CMAKE_CURRENT_LIST_DIR}/text_hosted.ld")
  set(BOOT_PCLNTAB "${CMAKE_CURRENT_LIST_DIR}/pclntab.py")
else()
  get_filename_component(BOOT_PCLNTAB "${CMAKE_CURRENT_LIST_DIR}/../pclntab.py" ABSOLUTE)
  get_filename_component(BOOT_TEXT_LD "${CMAKE_CURRENT_LIST_DIR}/../../asm/text.ld" ABSOLUTE)
  get_filename_component(BOOT_TEXT_HOSTED_LD "${CMAKE_CURRENT_LIST_DIR}/../../asm/text_hosted.ld" ABSOLUTE)
endif()

# Tracebacks tell functions and lines from a table that a second link puts in; without Python they tell addresses.
find_program(BOOT_PYTHON NAMES python3)
# python3 may be a version manager's script, which costs more than most links; the interpreter behind it is asked for once.
if(BOOT_PYTHON AND NOT BOOT_PYTHON STREQUAL "$CACHE{BOOT_PYTHON_ASKED}")
  execute_process(COMMAND "${BOOT_PYTHON}" -c "import sys; print(sys.executable)" OUTPUT_VARIABLE real
                  OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  if(real AND EXISTS "${real}")
    set(BOOT_PYTHON "${real}" CACHE FILEPATH "the Python that makes the tables of functions and lines" FORCE)
  endif()
  set(BOOT_PYTHON_ASKED "${BOOT_PYTHON}" CACHE INTERNAL "")
endif()
mark_as_advanced(BOOT_PYTHON)
if(NOT BOOT_PYTHON)
  message(WARNING "boot: python3 not found, tracebacks will have no names and lines")
endif()

function(boot_add_executable name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "HOSTED;PIE" "" "")
  if(NOT arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "boot_add_executable(${name}): no sources")
  endif()
  if(arg_HOSTED AND arg_PIE)
    message(FATAL_ERROR "boot_add_executable(${name}): a program in hosted mode has a fixed address")
  endif()
  if(arg_PIE AND NOT TARGET boot::bootrt_pie)
    message(FATAL_ERROR "boot_add_executable(${name}): build boot with -DBOOT_PIE=ON for programs that are loaded anywhere")
  endif()
  add_executable(${name} ${arg_UNPARSED_ARGUMENTS})
  # One link line for all: a program of assembly sources only would otherwise be linked as C.
  set_target_properties(${name} PROPERTIES LINKER_LANGUAGE CXX POSITION_INDEPENDENT_CODE OFF)
  target_compile_features(${name} PRIVATE cxx_std_20)
  target_compile_options(${name} PRIVATE "$<$<COMPILE_LANGUAGE:CXX>:${BOOT_USER_FLAGS}>")
  if(BOOT_PYTHON)
    set_target_properties(${name} PROPERTIES RULE_LAUNCH_LINK "\"${BOOT_PYTHON}\" \"${BOOT_PCLNTAB}\" --link")
  endif()
  if(arg_HOSTED)
    # -z now: looking up a symbol at its first call would happen on a goroutine's stack.
    set_target_properties(${name} PROPERTIES LINK_DEPENDS "${BOOT_TEXT_HOSTED_LD};${BOOT_PCLNTAB}")
    target_compile_definitions(${name} PRIVATE BOOT_HOSTED)
    target_link_options(${name} PRIVATE
      -nostartfiles -no-pie
      -Wl,--gc-sections -Wl,--eh-frame-hdr -Wl,-z,noexecstack -Wl,-z,separate-code -Wl,-z,now -Wl,--build-id=none
      -Wl,-e,_rt0_amd64_linux -Wl,-u,_rt0_amd64_linux -Wl,-u,_cgo_init -Wl,-u,runtime.gdb_offsets
      -Wl,-u,runtime.debugCallV2 "-T${BOOT_TEXT_HOSTED_LD}")
    target_link_libraries(${name} PRIVATE boot::bootrt_hosted)
    return()
  endif()
  target_compile_options(${name} PRIVATE "$<$<COMPILE_LANGUAGE:CXX>:${BOOT_PURE_FLAGS}>")
  set_target_properties(${name} PROPERTIES LINK_DEPENDS "${BOOT_TEXT_LD};${BOOT_PCLNTAB}")
  # gcc leaves out --eh-frame-hdr for static programs, and the unwinder finds nothing without it. The symbols asked for
  # by -u are for debuggers: nothing in the program refers to them.
  if(arg_PIE)
    target_compile_options(${name} PRIVATE "$<$<COMPILE_LANGUAGE:CXX>:-fPIE>")
    set(kind -static-pie)
    set(entry _rt0_amd64_linux_pie)
    set(pie_library boot::bootrt_pie)
  else()
    set(kind -static -no-pie)
    set(entry _rt0_amd64_linux)
    set(pie_library "")
  endif()
  target_link_options(${name} PRIVATE
    -nostartfiles -nodefaultlibs ${kind}
    -Wl,--gc-sections -Wl,--eh-frame-hdr -Wl,-z,noexecstack -Wl,-z,separate-code -Wl,--build-id=none
    -Wl,-e,${entry} -Wl,-u,runtime.gdb_offsets -Wl,-u,runtime.debugCallV2 "-T${BOOT_TEXT_LD}")
  target_link_libraries(${name} PRIVATE
    -Wl,--start-group ${pie_library} boot::bootrt -lstdc++ -lsupc++ -lgcc_eh -lgcc -lm -Wl,--end-group)
endfunction()
