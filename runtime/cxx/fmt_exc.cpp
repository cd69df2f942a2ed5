// fmt, compiled once for the runtime and for every program: what its format.cc holds; in pure mode without std::locale.
//
// User code includes fmt's headers as they are and links against this. Compiled with exceptions and RTTI, so that a bad
// run-time format string can be caught as fmt::format_error. Works with fmt 8, 9 and 10, whose lists of what the
// headers declare and leave to the library differ.
//
// Way not taken: FMT_HEADER_ONLY in every file: the same 50 KB compiled again and again, and std::locale with it.
#ifdef BOOT_HOSTED
#undef FMT_STATIC_THOUSANDS_SEPARATOR  // of the command line, for the runtime's own files
#include <locale>
#else
#define FMT_STATIC_THOUSANDS_SEPARATOR ','
#endif
#include <fmt/format-inl.h>

FMT_BEGIN_NAMESPACE
namespace detail {

#ifdef BOOT_HOSTED
template FMT_API locale_ref::locale_ref(const std::locale&);
template FMT_API auto locale_ref::get<std::locale>() const -> std::locale;
#endif
#if FMT_VERSION < 90000
template FMT_API int snprintf_float(double value, int precision, float_specs specs, buffer<char>& buf);
template FMT_API int snprintf_float(long double value, int precision, float_specs specs, buffer<char>& buf);
template FMT_API int format_float(double value, int precision, float_specs specs, buffer<char>& buf);
template FMT_API int format_float(long double value, int precision, float_specs specs, buffer<char>& buf);
#endif
#if FMT_VERSION < 110000
template FMT_API auto dragonbox::to_decimal(float x) noexcept -> dragonbox::decimal_fp<float>;
template FMT_API auto dragonbox::to_decimal(double x) noexcept -> dragonbox::decimal_fp<double>;
#endif
template FMT_API auto thousands_sep_impl(locale_ref) -> thousands_sep_result<char>;
template FMT_API auto decimal_point_impl(locale_ref) -> char;
template FMT_API void buffer<char>::append(const char*, const char*);
template FMT_API auto thousands_sep_impl(locale_ref) -> thousands_sep_result<wchar_t>;
template FMT_API auto decimal_point_impl(locale_ref) -> wchar_t;
template FMT_API void buffer<wchar_t>::append(const wchar_t*, const wchar_t*);
template FMT_API void vformat_to(buffer<char>&, string_view,
#if FMT_VERSION < 100000
                                 basic_format_args<FMT_BUFFER_CONTEXT(char)>,
#else
                                 typename vformat_args<>::type,
#endif
                                 locale_ref);

}  // namespace detail
FMT_END_NAMESPACE
