# Builds libfastjobs.so: the C layer as a static library, then the engine by `dotnet publish`, which links both.
# Defines the imported-like target FastJobs::fastjobs for the examples and tests of this tree.

find_package(Threads REQUIRED)
find_program(FASTJOBS_DOTNET dotnet REQUIRED)

file(GLOB _c_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/native/src/*.c)
add_library(fastjobs_c STATIC ${_c_sources})
target_include_directories(fastjobs_c PRIVATE ${PROJECT_SOURCE_DIR}/native/include/fastjobs)
target_compile_definitions(fastjobs_c PRIVATE FASTJOBS_VERSION="${PROJECT_VERSION}")
target_compile_options(fastjobs_c PRIVATE -Wall -Wextra -Werror -O2 -fvisibility=hidden)
set_target_properties(fastjobs_c PROPERTIES POSITION_INDEPENDENT_CODE ON C_EXTENSIONS OFF)

set(FASTJOBS_SONAME libfastjobs.so.${PROJECT_VERSION_MAJOR})
set(FASTJOBS_FILE libfastjobs.so.${PROJECT_VERSION})
set(_out ${PROJECT_BINARY_DIR}/lib)
set(FASTJOBS_LIBRARY ${_out}/libfastjobs.so)
set(_publish ${PROJECT_BINARY_DIR}/publish)
file(GLOB_RECURSE _cs_sources CONFIGURE_DEPENDS
  ${PROJECT_SOURCE_DIR}/managed/FastJobs/*.cs
  ${PROJECT_SOURCE_DIR}/interop/FastJobs.Interop/*.cs)
list(FILTER _cs_sources EXCLUDE REGEX "/(bin|obj)/")

add_custom_command(
  OUTPUT ${_out}/${FASTJOBS_FILE} ${_out}/${FASTJOBS_SONAME} ${_out}/libfastjobs.so
  COMMAND ${CMAKE_COMMAND} -E env DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1
    ${FASTJOBS_DOTNET} publish ${PROJECT_SOURCE_DIR}/interop/FastJobs.Interop/FastJobs.Interop.csproj
    -c Release -v quiet -nodeReuse:false --artifacts-path ${PROJECT_BINARY_DIR}/artifacts -o ${_publish}
    -p:FastJobsCLibrary=$<TARGET_FILE:fastjobs_c> -p:FastJobsSoname=${FASTJOBS_SONAME}
  COMMAND ${CMAKE_COMMAND} -E make_directory ${_out}
  COMMAND ${CMAKE_COMMAND} -E copy ${_publish}/libfastjobs.so ${_out}/${FASTJOBS_FILE}
  COMMAND ${CMAKE_COMMAND} -E create_symlink ${FASTJOBS_FILE} ${_out}/${FASTJOBS_SONAME}
  COMMAND ${CMAKE_COMMAND} -E create_symlink ${FASTJOBS_SONAME} ${_out}/libfastjobs.so
  DEPENDS fastjobs_c ${_cs_sources}
    ${PROJECT_SOURCE_DIR}/interop/FastJobs.Interop/FastJobs.Interop.csproj
    ${PROJECT_SOURCE_DIR}/interop/FastJobs.Interop/libfastjobs.map
    ${PROJECT_SOURCE_DIR}/managed/FastJobs/FastJobs.csproj
    ${PROJECT_SOURCE_DIR}/Directory.Build.props
    ${PROJECT_SOURCE_DIR}/Directory.Packages.props
  COMMENT "Compiling the engine with NativeAOT: ${FASTJOBS_FILE}"
  VERBATIM)
add_custom_target(fastjobs_library ALL DEPENDS ${FASTJOBS_LIBRARY})

add_library(fastjobs INTERFACE)
add_library(FastJobs::fastjobs ALIAS fastjobs)
add_dependencies(fastjobs fastjobs_library)
# As an installed FastJobs has them: <fastjobs/fastjobs.h>, and <ec_thread_pool.h> for sources of the original.
target_include_directories(fastjobs INTERFACE
  ${PROJECT_SOURCE_DIR}/native/include ${PROJECT_SOURCE_DIR}/native/include/fastjobs)
target_link_options(fastjobs INTERFACE -Wl,-rpath,${_out})
target_link_libraries(fastjobs INTERFACE ${FASTJOBS_LIBRARY} Threads::Threads)
