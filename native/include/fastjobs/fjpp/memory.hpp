/*
 * fjpp/memory.hpp - part of fastjobs.hpp: where jobs live.
 *
 * A job is its ec_async_job (96 bytes) with the callable behind it, in memory of the first size below that
 * fits. Each size is a memory type of the library ("fastjobs.hpp/128" …): per-thread caches, no malloc once
 * warm, and its usage can be read by fj_memtype_usage_get. What is larger, or aligned to more than 16 bytes,
 * comes from operator new.
 */
#ifndef FASTJOBS_FJPP_MEMORY_HPP
#define FASTJOBS_FJPP_MEMORY_HPP

#include "base.hpp"

#include <cstddef>
#include <memory>
#include <new>

namespace fastjobs
{
namespace detail
{

inline constexpr std::size_t small_size = 128, medium_size = 192, large_size = 320;
inline constexpr std::size_t type_alignment = 16;

inline int register_type(const char *name, std::size_t size) noexcept
{
    mem_type_def definition{};
    definition.name = name;
    definition.size = size;
    return ec_memtype_register(&definition);
}

/** The number of the memory type for an object, or -1: from operator new. -1 also if all numbers are taken;
 * since it is asked for once, an object is freed as it was allocated. */
inline int memory_type(std::size_t size, std::size_t alignment) noexcept
{
    if (alignment > type_alignment || size > large_size)
        return -1;
    if (size <= small_size) {
        static const int small = register_type("fastjobs.hpp/128", small_size);
        return small;
    }
    if (size <= medium_size) {
        static const int medium = register_type("fastjobs.hpp/192", medium_size);
        return medium;
    }
    static const int large = register_type("fastjobs.hpp/320", large_size);
    return large;
}

inline void *allocate(std::size_t size, std::size_t alignment)
{
    const int type = memory_type(size, alignment);
    if (type < 0)
        return alignment > __STDCPP_DEFAULT_NEW_ALIGNMENT__
                   ? ::operator new(size, static_cast<std::align_val_t>(alignment))
                   : ::operator new(size);
    void *memory = ec_malloc(type);
    if (memory == nullptr)
        throw std::bad_alloc();
    return memory;
}

inline void deallocate(void *memory, std::size_t size, std::size_t alignment) noexcept
{
    const int type = memory_type(size, alignment);
    if (type >= 0) {
        ec_free(type, memory);
    } else if (alignment > __STDCPP_DEFAULT_NEW_ALIGNMENT__) {
        ::operator delete(memory, static_cast<std::align_val_t>(alignment));
    } else {
        ::operator delete(memory);
    }
}

template <typename Node> struct node_deleter {
    void operator()(Node *node) const noexcept
    {
        node->~Node();
        deallocate(node, sizeof(Node), alignof(Node));
    }
};

template <typename Node> using node_ptr = std::unique_ptr<Node, node_deleter<Node>>;

template <typename Node, typename... Arguments> node_ptr<Node> make_node(Arguments &&...arguments)
{
    void *memory = allocate(sizeof(Node), alignof(Node));
    try {
        return node_ptr<Node>(::new (memory) Node(std::forward<Arguments>(arguments)...));
    } catch (...) {
        deallocate(memory, sizeof(Node), alignof(Node));
        throw;
    }
}

/** The same memory for what the standard library allocates on a job's behalf. */
template <typename T> struct node_allocator {
    using value_type = T;

    node_allocator() noexcept = default;
    template <typename U> node_allocator(const node_allocator<U> &) noexcept {}

    T *allocate(std::size_t count)
    {
        if (count > static_cast<std::size_t>(-1) / sizeof(T))
            throw std::bad_array_new_length();
        return static_cast<T *>(detail::allocate(count * sizeof(T), alignof(T)));
    }
    void deallocate(T *memory, std::size_t count) noexcept
    {
        detail::deallocate(memory, count * sizeof(T), alignof(T));
    }

    template <typename U> friend bool operator==(const node_allocator &, const node_allocator<U> &) noexcept
    {
        return true;
    }
    template <typename U> friend bool operator!=(const node_allocator &, const node_allocator<U> &) noexcept
    {
        return false;
    }
};

/** An object whose life is begun and ended by hand: a callable ends as soon as it has run, while the job that
 * it is part of may have to stay. */
template <typename T> class by_hand
{
  public:
    template <typename... Arguments>
    explicit by_hand(std::in_place_t, Arguments &&...arguments) : value(std::forward<Arguments>(arguments)...)
    {
    }
    by_hand(const by_hand &) = delete;
    by_hand &operator=(const by_hand &) = delete;
    ~by_hand() {}

    void end() noexcept { value.~T(); }

    union {
        T value;
    };
};

} // namespace detail
} // namespace fastjobs
#endif
