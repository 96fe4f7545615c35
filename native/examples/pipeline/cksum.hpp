/*
 * cksum.hpp - the checksum of POSIX cksum: CRC-32, polynomial 04C11DB7, over the bytes and then the length.
 */
#ifndef FASTJOBS_PIPELINE_CKSUM_HPP
#define FASTJOBS_PIPELINE_CKSUM_HPP

#include <array>
#include <cstddef>
#include <cstdint>

namespace pipeline
{

inline constexpr std::array<std::uint32_t, 256> crc_table = [] {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t i = 0; i < 256; i++) {
        std::uint32_t remainder = i << 24;
        for (int bit = 0; bit < 8; bit++)
            remainder = (remainder & 0x80000000u) != 0 ? (remainder << 1) ^ 0x04C11DB7u : remainder << 1;
        table[i] = remainder;
    }
    return table;
}();

inline std::uint32_t cksum(const unsigned char *bytes, std::size_t count)
{
    std::uint32_t crc = 0;
    const auto feed = [&crc](std::size_t byte) { crc = (crc << 8) ^ crc_table[(crc >> 24) ^ (byte & 0xff)]; };
    for (std::size_t i = 0; i < count; i++)
        feed(bytes[i]);
    for (std::size_t length = count; length != 0; length >>= 8)
        feed(length);
    return ~crc;
}

} // namespace pipeline
#endif
