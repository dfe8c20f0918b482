// What an application does with a converted model: it needs OpenVINO, OpenCV and nlohmann-json.
//
//     read_saliency MODEL.xml PHOTO OVERLAY.png [--map MAP.npy] [--input INPUT.npy] [--class LABEL|INDEX]
//
// Prepares the photograph, runs the model, takes the map of one class and lays it over the photograph. All of it is
// done as the model's description says (schemas/sidecar-v1.schema.json): the JSON in the IR, else the file beside it.
// ../read_saliency.py is the same in Python.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <limits>
#include <map>
#include <numeric>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include <nlohmann/json.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <openvino/openvino.hpp>

using Json = nlohmann::json;

// What is said to the user in one line.
struct Refusal : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// A part of a picture, in its pixels; it may reach beyond the picture.
struct Box {
    double left, top, width, height;
};

struct Arguments {
    std::filesystem::path model, photo, overlay, map, input;
    std::optional<std::string> wanted;
};

Arguments parse(int count, char** values) {
    const std::string usage =
        "usage: read_saliency MODEL.xml PHOTO OVERLAY.png [--map MAP.npy] [--input INPUT.npy] [--class LABEL|INDEX]";
    Arguments arguments;
    std::vector<std::string> positional;
    for (int i = 1; i < count; ++i) {
        const std::string each = values[i];
        if (each.rfind("--", 0) != 0) {
            positional.push_back(each);
            continue;
        }
        if (++i == count) throw Refusal(usage);
        if (each == "--map") arguments.map = values[i];
        else if (each == "--input") arguments.input = values[i];
        else if (each == "--class") arguments.wanted = values[i];
        else throw Refusal(usage);
    }
    if (positional.size() != 3) throw Refusal(usage);
    arguments.model = positional[0];
    arguments.photo = positional[1];
    arguments.overlay = positional[2];
    return arguments;
}

// What stands in the IR cannot be another model's; the file beside it (whose hashes say of which it is) has the same.
Json read_description(const std::filesystem::path& xml, const ov::Model& model) {
    Json description;
    auto beside = xml;
    beside.replace_extension(".json");
    if (model.has_rt_info("ovxai")) {
        description = Json::parse(model.get_rt_info<std::string>("ovxai"));
    } else if (std::filesystem::is_regular_file(beside)) {
        std::ifstream stream(beside);
        description = Json::parse(stream);
    } else {
        throw Refusal(xml.string() + " is no converted model");
    }
    const std::string version = description.at("schema_version");
    if (version.rfind("1.", 0) != 0 || version == "1.0")
        throw Refusal(xml.string() + " is described in version " + version + "; this reads 1.1 and later");
    return description;
}

// NumPy's file format: a line that tells type and shape, then the numbers.
void save_npy(const std::filesystem::path& path, const void* data, const ov::element::Type& type,
              const std::vector<size_t>& shape) {
    const char letter = type.is_real() ? 'f' : type.is_signed() ? 'i' : 'u';
    std::string head = "{'descr': '" + std::string(type.size() == 1 ? "|" : "<") + letter +
                       std::to_string(type.size()) + "', 'fortran_order': False, 'shape': (";
    size_t bytes = type.size();
    for (const size_t extent : shape) {
        head += std::to_string(extent) + ", ";
        bytes *= extent;
    }
    head += ")}";
    head.append(64 - (10 + head.size() + 1) % 64, ' ');
    head += '\n';
    std::ofstream stream(path, std::ios::binary);
    stream << "\x93NUMPY" << '\x01' << '\0' << static_cast<char>(head.size() & 255)
           << static_cast<char>(head.size() >> 8) << head;
    stream.write(static_cast<const char*>(data), static_cast<std::streamsize>(bytes));
    if (!stream) throw Refusal(path.string() + " cannot be written");
}

// From the photograph to the input: `preprocessing`, in the order of its `order`.

// The nearest whole number to the fraction, of two the even one; at least 1.
int rounded(int64_t numerator, int64_t denominator) {
    const int64_t whole = numerator / denominator, left = 2 * (numerator % denominator);
    const bool up = left > denominator || (left == denominator && whole % 2 == 1);
    return static_cast<int>(std::max<int64_t>(1, whole + (up ? 1 : 0)));
}

// The largest box of the input's ratio.
cv::Size crop_size(cv::Size photo, cv::Size input) {
    const int64_t width = photo.width, height = photo.height;
    if (width * input.height > height * input.width)
        return {rounded(height * input.width, input.height), photo.height};
    return {photo.width, rounded(width * input.height, input.width)};
}

// The size once the shorter side has been scaled; or both, where both are told.
cv::Size scaled_size(cv::Size photo, const Json& sides) {
    if (sides.is_array()) return {sides.at(1).get<int>(), sides.at(0).get<int>()};
    const int64_t shorter = sides.get<int64_t>();
    const int64_t least = std::min(photo.width, photo.height);
    return {static_cast<int>(shorter * photo.width / least), static_cast<int>(shorter * photo.height / least)};
}

// Where the photograph is within the input.
cv::Rect letterbox(cv::Size photo, cv::Size input, const std::string& where) {
    const int64_t width = photo.width, height = photo.height;
    cv::Size inner;
    if (width * input.height > height * input.width)
        inner = {input.width, rounded(height * input.width, width)};
    else
        inner = {rounded(width * input.height, height), input.height};
    if (where == "right_and_below") return {{0, 0}, inner};
    return {{(input.width - inner.width) / 2, (input.height - inner.height) / 2}, inner};
}

// Which of m pixels pixel i of n takes: ceil((2 i + 1) m / (2 n)) - 1.
int nearest(int64_t i, int64_t n, int64_t m) {
    return static_cast<int>(((2 * i + 1) * m + 2 * n - 1) / (2 * n) - 1);
}

template <typename Pixel>
void take_nearest(const cv::Mat& pixels, cv::Mat& scaled) {
    for (int row = 0; row < scaled.rows; ++row)
        for (int column = 0; column < scaled.cols; ++column)
            scaled.at<Pixel>(row, column) = pixels.at<Pixel>(nearest(row, scaled.rows, pixels.rows),
                                                             nearest(column, scaled.cols, pixels.cols));
}

// Where pixel i of n lies among m, in parts of 2 n, kept within them.
int64_t place_of(int64_t i, int64_t n, int64_t m) {
    return std::clamp<int64_t>((2 * i + 1) * m - n, 0, 2 * n * (m - 1));
}

// Each level linearly between four, exact for whole ones.
template <typename Level>
void take_between(const cv::Mat& pixels, cv::Mat& levels) {
    const int64_t rows = levels.rows, columns = levels.cols;
    for (int64_t row = 0; row < rows; ++row) {
        const int64_t down = place_of(row, rows, pixels.rows);
        const int above = static_cast<int>(down / (2 * rows)), below = std::min(above + 1, pixels.rows - 1);
        const double lower = static_cast<double>(down % (2 * rows)), upper = 2.0 * rows - lower;
        for (int64_t column = 0; column < columns; ++column) {
            const int64_t across = place_of(column, columns, pixels.cols);
            const int left = static_cast<int>(across / (2 * columns)), right = std::min(left + 1, pixels.cols - 1);
            const double later = static_cast<double>(across % (2 * columns)), sooner = 2.0 * columns - later;
            for (int channel = 0; channel < 3; ++channel) {
                const auto level = [&](int y, int x) {
                    return static_cast<double>(pixels.ptr<Level>(y, x)[channel]);
                };
                const double first = level(above, left) * upper + level(below, left) * lower;
                const double second = level(above, right) * upper + level(below, right) * lower;
                levels.ptr<double>(static_cast<int>(row), static_cast<int>(column))[channel] =
                    (first * sooner + second * later) / (4.0 * rows * columns);
            }
        }
    }
}

// Levels in another size: in 8 bits, or in float32 where they are not rounded.
cv::Mat scale(const cv::Mat& pixels, cv::Size size, const Json& how) {
    if (pixels.size() == size) return pixels;
    const std::string interpolation = how.at("interpolation");
    cv::Mat scaled(size, pixels.type());
    if (interpolation == "nearest") {
        if (pixels.depth() == CV_8U) take_nearest<cv::Vec3b>(pixels, scaled);
        else take_nearest<cv::Vec3f>(pixels, scaled);
        return scaled;
    }
    if (interpolation == "area" && int64_t{size.width} * size.height < int64_t{pixels.cols} * pixels.rows) {
        cv::resize(pixels, scaled, size, 0, 0, cv::INTER_AREA);
        return scaled;
    }
    cv::Mat levels;
    if (interpolation == "cubic") {
        pixels.convertTo(levels, CV_32F);
        cv::resize(levels, levels, size, 0, 0, cv::INTER_CUBIC);
    } else {
        levels.create(size, CV_64FC3);
        if (pixels.depth() == CV_8U) take_between<uint8_t>(pixels, levels);
        else take_between<float>(pixels, levels);
    }
    levels.convertTo(scaled, how.at("rounded") ? CV_8U : CV_32F);  // half to even, and set to 0 to 255
    return scaled;
}

cv::Size size_of(const Json& how) {
    return {how.at("size").at(1).get<int>(), how.at("size").at(0).get<int>()};
}

// The photograph in the size of the input.
cv::Mat resize(cv::Mat photo, const Json& how) {
    const std::string resize = how.at("resize");
    if (!how.at("rounded")) photo.convertTo(photo, CV_32F);
    if (resize == "none") return photo;
    const cv::Size input = size_of(how);
    if (resize == "stretch") return scale(photo, input, how);
    if (resize == "letterbox") {
        const cv::Rect place = letterbox(photo.size(), input, how.at("pad").at("where"));
        cv::Mat outer(input, photo.type(), cv::Scalar::all(how.at("pad").at("value").get<int>()));
        scale(photo, place.size(), how).copyTo(outer(place));
        return outer;
    }
    cv::Size box = crop_size(photo.size(), input);
    if (!how.at("resize_to").is_null()) {
        photo = scale(photo, scaled_size(photo.size(), how.at("resize_to")), how);
        box = input;
    }
    if (box.width > photo.cols || box.height > photo.rows)
        throw Refusal("the box to cut out is larger than the scaled photograph");
    const cv::Point corner((photo.cols - box.width) / 2, (photo.rows - box.height) / 2);
    return scale(photo(cv::Rect(corner, box)).clone(), input, how);
}

// Puts levels, [rows, columns, channels], into a sample in the layout and type of the input.
template <typename T>
void fill(const std::vector<float>& levels, cv::Size size, int channels, bool channels_first, void* sample) {
    T* values = static_cast<T*>(sample);
    const size_t area = static_cast<size_t>(size.area());
    for (size_t cell = 0; cell < area; ++cell) {
        for (int channel = 0; channel < channels; ++channel) {
            const float level = levels[cell * channels + channel];
            T& value = values[channels_first ? channel * area + cell : cell * channels + channel];
            if constexpr (std::is_integral_v<T>) {
                using Limits = std::numeric_limits<T>;
                const double whole = std::nearbyint(level);  // half to even
                if (whole <= static_cast<double>(Limits::min())) value = Limits::min();
                else if (whole >= static_cast<double>(Limits::max())) value = Limits::max();
                else value = static_cast<T>(whole);
            } else {
                value = static_cast<T>(level);
            }
        }
    }
}

void fill_as(const ov::element::Type& type, const std::vector<float>& levels, cv::Size size, int channels,
             bool channels_first, void* sample) {
    if (type == ov::element::f32) fill<float>(levels, size, channels, channels_first, sample);
    else if (type == ov::element::f16) fill<ov::float16>(levels, size, channels, channels_first, sample);
    else if (type == ov::element::f64) fill<double>(levels, size, channels, channels_first, sample);
    else if (type == ov::element::u8) fill<uint8_t>(levels, size, channels, channels_first, sample);
    else if (type == ov::element::i8) fill<int8_t>(levels, size, channels, channels_first, sample);
    else if (type == ov::element::u16) fill<uint16_t>(levels, size, channels, channels_first, sample);
    else if (type == ov::element::i16) fill<int16_t>(levels, size, channels, channels_first, sample);
    else if (type == ov::element::i32) fill<int32_t>(levels, size, channels, channels_first, sample);
    else if (type == ov::element::i64) fill<int64_t>(levels, size, channels, channels_first, sample);
    else throw Refusal("an input of " + type.get_type_name() + " is not known here");
}

// The input: `count` times the same sample, which a model of a fixed batch above 1 needs.
ov::Tensor prepare(const cv::Mat& photo, const Json& how, size_t count) {
    const std::string colour = how.at("colour");
    if (colour != "rgb" && colour != "bgr" && colour != "grey")
        throw Refusal("colours as " + colour + " are not known here");
    if (how.contains("levels") || how.at("channels") == 4)
        throw Refusal("levels, and channels that are cut off, are not known here");
    cv::Mat pixels = resize(photo, how);
    const int channels = how.at("channels");
    if (colour == "grey") {
        cv::cvtColor(pixels, pixels, cv::COLOR_BGR2GRAY);
    } else if (colour == "rgb") {
        cv::cvtColor(pixels, pixels, cv::COLOR_BGR2RGB);
    }
    pixels.convertTo(pixels, CV_32F);
    const Json &clip = how.at("clip"), &mean = how.at("mean"), &divisor = how.at("scale");
    const auto of_channel = [](const Json& list, int channel) {
        return list.at(list.size() == 1 ? 0 : static_cast<size_t>(channel)).get<float>();
    };
    std::vector<float> levels;
    levels.reserve(pixels.total() * channels);
    for (int row = 0; row < pixels.rows; ++row) {
        for (int column = 0; column < pixels.cols; ++column) {
            const float* pixel = pixels.ptr<float>(row, column);
            for (int channel = 0; channel < channels; ++channel) {
                float level = pixel[colour == "grey" ? 0 : channel];
                if (!clip.is_null()) level = std::clamp(level, clip.at(0).get<float>(), clip.at(1).get<float>());
                levels.push_back((level - of_channel(mean, channel)) / of_channel(divisor, channel));
            }
        }
    }
    const bool channels_first = how.at("layout") == "NCHW";
    const size_t rows = pixels.rows, columns = pixels.cols, depth = channels;
    const ov::element::Type type(how.at("element_type").get<std::string>());
    ov::Tensor input(type, channels_first ? ov::Shape{count, depth, rows, columns}
                                          : ov::Shape{count, rows, columns, depth});
    const size_t bytes = input.get_byte_size() / count;
    auto* start = static_cast<char*>(input.data());
    fill_as(type, levels, pixels.size(), channels, channels_first, start);
    for (size_t sample = 1; sample < count; ++sample) std::memcpy(start + sample * bytes, start, bytes);
    return input;
}

// From the outputs to one map: `scores` and `saliency_map`.

template <typename T>
std::vector<double> as_doubles(const void* data, size_t count) {
    const T* values = static_cast<const T*>(data);
    std::vector<double> found(count);
    for (size_t i = 0; i < count; ++i) found[i] = static_cast<double>(values[i]);
    return found;
}

// `count` numbers from the one at `first` on.
std::vector<double> numbers(const ov::Tensor& tensor, size_t first, size_t count) {
    const ov::element::Type type = tensor.get_element_type();
    const char* data = static_cast<const char*>(tensor.data()) + first * type.size();
    if (type == ov::element::f32) return as_doubles<float>(data, count);
    if (type == ov::element::f16) return as_doubles<ov::float16>(data, count);
    if (type == ov::element::f64) return as_doubles<double>(data, count);
    if (type == ov::element::u8) return as_doubles<uint8_t>(data, count);
    if (type == ov::element::i32) return as_doubles<int32_t>(data, count);
    if (type == ov::element::i64) return as_doubles<int64_t>(data, count);
    throw Refusal("an output of " + type.get_type_name() + " is not known here");
}

// The numbers of the first sample.
std::vector<double> first_sample(const ov::Tensor& tensor, size_t count) {
    return numbers(tensor, 0, tensor.get_size() / count);
}

double sigmoid(double x) {
    return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x));
}

// Whether numbers from first to behind are not negative and add up to 1.
bool is_distribution(const std::vector<double>& values, size_t first, size_t behind) {
    const auto begin = values.begin() + static_cast<ptrdiff_t>(first);
    const auto end = values.begin() + static_cast<ptrdiff_t>(behind);
    return *std::min_element(begin, end) >= 0 && std::abs(std::accumulate(begin, end, 0.0) - 1) <= 1e-3;
}

// e^x over the sum of all, from first to behind.
void softmax(std::vector<double>& values, size_t first, size_t behind) {
    const auto begin = values.begin() + static_cast<ptrdiff_t>(first);
    const auto end = values.begin() + static_cast<ptrdiff_t>(behind);
    const double largest = *std::max_element(begin, end);
    double sum = 0;
    for (auto each = begin; each != end; ++each) sum += *each = std::exp(*each - largest);
    for (auto each = begin; each != end; ++each) *each /= sum;
}

// The softmax of each group and the sigmoid of the others; all stay where they are that already.
void by_groups(std::vector<double>& values, const Json& groups) {
    std::vector<bool> alone(values.size(), true);
    bool already = true;
    for (const Json& range : groups) {
        const size_t first = range.at(0), behind = range.at(1);
        already = already && is_distribution(values, first, behind);
        std::fill(alone.begin() + static_cast<ptrdiff_t>(first), alone.begin() + static_cast<ptrdiff_t>(behind), false);
    }
    for (size_t i = 0; i < values.size(); ++i) already = already && (!alone[i] || (values[i] >= 0 && values[i] <= 1));
    if (already) return;
    for (const Json& range : groups) softmax(values, range.at(0), range.at(1));
    for (size_t i = 0; i < values.size(); ++i)
        if (alone[i]) values[i] = sigmoid(values[i]);
}

// Probability by class, of the first sample; where the model names only the best, 1 / place.
std::map<int64_t, double> read_probabilities(const Json& description, ov::InferRequest& request, size_t count) {
    const Json& scores = description.at("scores");
    size_t index = 0;
    for (const Json& each : description.at("outputs"))
        if (each.at("name") == scores.at("output")) index = each.at("index");
    std::vector<double> values = first_sample(request.get_output_tensor(index), count);
    std::map<int64_t, double> found;
    const std::string kind = scores.at("probabilities");
    if (kind == "rank") {
        for (size_t place = 0; place < values.size(); ++place)
            found.emplace(static_cast<int64_t>(values[place]), 1.0 / static_cast<double>(1 + place));
        return found;
    }
    if (kind == "exp") {
        for (double& each : values) each = std::exp(each);
    } else if (kind == "sigmoid") {
        for (double& each : values) each = sigmoid(each);
    } else if (kind == "softmax") {
        if (!is_distribution(values, 0, values.size())) softmax(values, 0, values.size());
    } else if (kind == "groups") {
        by_groups(values, scores.at("groups"));
    }
    if (scores.value("meaning", "classes") == "binary") values = {1 - values.at(0), values.at(0)};
    for (size_t i = 0; i < values.size(); ++i) found.emplace(static_cast<int64_t>(i), values[i]);
    return found;
}

// How many classes the model answers with.
size_t count_of_classes(const Json& description) {
    const Json& scores = description.at("scores");
    return scores.value("meaning", "classes") == "binary" ? 2 : scores.at("class_count").get<size_t>();
}

// A class by its label or its index.
int64_t named(const Json& description, const std::string& wanted) {
    const Json& labels = description.at("labels");
    for (size_t i = 0; !labels.is_null() && i < labels.size(); ++i)
        if (labels[i] == wanted) return static_cast<int64_t>(i);
    const bool whole = !wanted.empty() && wanted.size() < 10 &&
                       wanted.find_first_not_of("0123456789") == std::string::npos;
    if (whole && std::stoull(wanted) < count_of_classes(description))
        return std::stoll(wanted);
    throw Refusal("there is no class " + wanted);
}

// Classes of the first sample's maps, in their order; none where one map is for all.
std::vector<int64_t> classes_of_maps(const Json& description, ov::InferRequest& request) {
    const Json& saliency = description.at("saliency_map");
    const Json &axes = saliency.at("axes"), &classes = saliency.at("classes");
    if (std::find(axes.begin(), axes.end(), "class") == axes.end()) return {};
    if (classes == "all") {
        std::vector<int64_t> all(count_of_classes(description));
        std::iota(all.begin(), all.end(), 0);
        return all;
    }
    if (classes.contains("indices")) return classes.at("indices").get<std::vector<int64_t>>();
    const size_t index = description.at("saliency_classes").at("index");
    std::vector<int64_t> best;
    for (const double each : numbers(request.get_output_tensor(index), 0, classes.at("top_k")))
        best.push_back(static_cast<int64_t>(each));
    return best;
}

// The class that is wanted, or else the most probable that has a map.
int64_t choose(const Json& description, const std::map<int64_t, double>& probability,
               const std::vector<int64_t>& classes, const std::optional<std::string>& wanted) {
    if (wanted) return named(description, *wanted);
    std::vector<int64_t> candidates = classes;
    if (candidates.empty())
        for (const auto& [each, value] : probability) candidates.push_back(each);
    const auto value = [&](int64_t each) {
        const auto found = probability.find(each);
        return found == probability.end() ? 0.0 : found->second;
    };
    return *std::max_element(candidates.begin(), candidates.end(),
                             [&](int64_t a, int64_t b) { return value(a) < value(b); });
}

// The map of no, of that of yes, [1, 1, h, w]; one that is the same everywhere stays.
ov::Tensor turned_round(const ov::Tensor& map) {
    ov::Tensor turned(map.get_element_type(), map.get_shape());
    const size_t size = map.get_size();
    if (map.get_element_type() == ov::element::u8) {
        const auto* levels = static_cast<const uint8_t*>(map.data());
        const auto [lowest, highest] = std::minmax_element(levels, levels + size);
        const bool same = *lowest == *highest;
        std::transform(levels, levels + size, static_cast<uint8_t*>(turned.data()),
                       [same](uint8_t level) { return static_cast<uint8_t>(same ? level : 255 - level); });
    } else if (map.get_element_type() == ov::element::f32) {
        const auto* scores = static_cast<const float*>(map.data());
        std::transform(scores, scores + size, static_cast<float*>(turned.data()), [](float each) { return -each; });
    } else {
        throw Refusal("maps of the type " + map.get_element_type().get_type_name() + " are not turned round here");
    }
    return turned;
}

// From the map to the overlay: `saliency_map.upsampling`.

// The box of a picture that is there after resizing.
Box shown(const Json& how, cv::Size photo, const Json& where) {
    const std::string resize = how.at("resize");
    const cv::Size input = size_of(how);
    const double width = photo.width, height = photo.height;
    if (resize == "stretch") return {0, 0, width, height};
    if (resize == "letterbox") {
        const cv::Rect place = letterbox(photo, input, where);
        const double across = width / place.width, down = height / place.height;
        return {-place.x * across, -place.y * down, input.width * across, input.height * down};
    }
    if (how.contains("resize_to") && !how.at("resize_to").is_null()) {
        const cv::Size scaled = scaled_size(photo, how.at("resize_to"));
        const double across = width / scaled.width, down = height / scaled.height;
        return {(scaled.width - input.width) / 2 * across, (scaled.height - input.height) / 2 * down,
                input.width * across, input.height * down};
    }
    const cv::Size box = crop_size(photo, input);
    return {double((photo.width - box.width) / 2), double((photo.height - box.height) / 2), double(box.width),
            double(box.height)};
}

// The box of the photograph that the input shows, in pixels of the photograph.
Box seen(const Json& how, cv::Size photo) {
    const bool resized = how.at("resize") != "none";
    Box box{0, 0, double(photo.width), double(photo.height)};
    if (resized) box = shown(how, photo, how.at("pad").is_null() ? Json() : how.at("pad").at("where"));
    const Json& embedded = how.at("embedded");
    if (embedded.is_null()) return box;
    const cv::Size input = resized ? size_of(how) : photo;
    const Box inner = shown(embedded, input, embedded.at("pad_where"));  // in pixels of the input
    const double across = box.width / input.width, down = box.height / input.height;
    return {box.left + inner.left * across, box.top + inner.top * down, inner.width * across, inner.height * down};
}

// Weight of a cell by its distance: as INTER_LINEAR, or as INTER_CUBIC, whose parameter is -3/4.
double kernel(double distance, bool cubic) {
    if (!cubic) return std::max(0.0, 1 - distance);
    const double a = -0.75;
    if (distance <= 1) return ((a + 2) * distance - (a + 3)) * distance * distance + 1;
    if (distance < 2) return ((a * distance - 5 * a) * distance + 8 * a) * distance - 4 * a;
    return 0;
}

// How much each cell counts in each pixel, [pixels, cells]; the cells fill the length from start on, and cells
// behind the edge are as the edge's own.
cv::Mat weights(int pixels, double start, double length, int cells, bool cubic) {
    cv::Mat found = cv::Mat::zeros(pixels, cells, CV_64F);
    for (int pixel = 0; pixel < pixels; ++pixel) {
        const double place = (pixel + 0.5 - start) * cells / length - 0.5;  // in cells, 0 at the first one's centre
        for (int offset = -1; offset <= 2; ++offset) {
            const double neighbour = std::floor(place) + offset;
            const double cell = std::clamp(neighbour, 0.0, double(cells - 1));
            found.at<double>(pixel, static_cast<int>(cell)) += kernel(std::abs(place - neighbour), cubic);
        }
    }
    return found;
}

// Half the photograph, half the map in colours; what the model did not see in grey.
cv::Mat lay_over(const cv::Mat& photo, cv::Mat grid, const Box& box, const Json& saliency) {
    const bool cubic = saliency.at("upsampling").at("interpolation") == "cubic";
    double lowest = 0, highest = 0;
    cv::minMaxLoc(grid, &lowest, &highest);
    if (saliency.at("scaling") == "none" && highest > lowest) {  // raw scores to grey levels
        grid = (grid - lowest) * (255 / (highest - lowest));
        lowest = 0;
        highest = 255;
    }
    const cv::Mat down = weights(photo.rows, box.top, box.height, grid.rows, cubic);
    const cv::Mat across = weights(photo.cols, box.left, box.width, grid.cols, cubic);
    cv::Mat levels = down * grid * across.t();
    levels = cv::min(cv::max(levels, lowest), highest);
    levels.convertTo(levels, CV_8U);
    cv::Mat colours, grey, mixed;
    cv::applyColorMap(levels, colours, cv::COLORMAP_JET);
    cv::cvtColor(photo, grey, cv::COLOR_BGR2GRAY);
    cv::cvtColor(grey, grey, cv::COLOR_GRAY2BGR);
    cv::addWeighted(photo, 0.5, colours, 0.5, 0, mixed);
    for (int row = 0; row < photo.rows; ++row) {
        for (int column = 0; column < photo.cols; ++column) {
            const double x = column + 0.5 - box.left, y = row + 0.5 - box.top;
            if (x >= 0 && x <= box.width && y >= 0 && y <= box.height)
                grey.at<cv::Vec3b>(row, column) = mixed.at<cv::Vec3b>(row, column);
        }
    }
    return grey;
}

void run(const Arguments& arguments) {
    ov::Core core;
    const std::shared_ptr<ov::Model> model = core.read_model(arguments.model.string());
    const Json description = read_description(arguments.model, *model);
    const Json &saliency = description.at("saliency_map"), &how = description.at("preprocessing");
    if (saliency.is_null())
        throw Refusal(arguments.model.string() + " has no map: it is to be explained as a black box");
    if (how.is_null())
        throw Refusal(arguments.model.string() + " does not say how a photograph becomes its input");
    const cv::Mat photo = cv::imread(arguments.photo.string(), cv::IMREAD_COLOR | cv::IMREAD_ANYDEPTH);  // upright, BGR
    if (photo.empty()) throw Refusal(arguments.photo.string() + " cannot be read as an image");
    if (photo.depth() != CV_8U) throw Refusal("photographs of other levels than 8 bits are not known here");

    const ov::Output<ov::Node> port = model->input(0);
    const ov::PartialShape wants = port.get_partial_shape();
    const size_t count = wants[0].is_static() ? static_cast<size_t>(wants[0].get_length()) : 1;
    const ov::Tensor input = prepare(photo, how, count);
    if (!wants.compatible(input.get_shape()) || port.get_element_type() != input.get_element_type())
        throw Refusal(arguments.model.string() + " has been given another input than its description tells of");
    ov::CompiledModel compiled =
        core.compile_model(model, "CPU", ov::hint::inference_precision(ov::element::f32));
    ov::InferRequest request = compiled.create_infer_request();
    request.set_input_tensor(input);
    request.infer();

    const auto probability = read_probabilities(description, request, count);
    const std::vector<int64_t> classes = classes_of_maps(description, request);
    const int64_t chosen = choose(description, probability, classes, arguments.wanted);
    size_t place = 0;  // of the class among the maps
    if (!classes.empty()) {
        const auto found = std::find(classes.begin(), classes.end(), chosen);
        if (found == classes.end()) throw Refusal("there is no map of class " + std::to_string(chosen));
        place = static_cast<size_t>(found - classes.begin());
    }
    ov::Tensor maps = request.get_output_tensor(saliency.at("index"));
    if (!classes.empty() && description.at("scores").value("meaning", "classes") == "binary") {
        place = 0;  // one map serves both
        if (chosen == 0) maps = turned_round(maps);
    }
    const size_t rows = *(maps.get_shape().rbegin() + 1), columns = maps.get_shape().back();
    std::vector<double> values = numbers(maps, place * rows * columns, rows * columns);
    const cv::Mat grid(static_cast<int>(rows), static_cast<int>(columns), CV_64F, values.data());

    if (!arguments.input.empty())
        save_npy(arguments.input, input.data(), input.get_element_type(), input.get_shape());
    if (!arguments.map.empty()) {
        const ov::element::Type type = maps.get_element_type();
        save_npy(arguments.map, static_cast<const char*>(maps.data()) + place * rows * columns * type.size(), type,
                 {rows, columns});
    }
    const cv::Mat picture = lay_over(photo, grid, seen(how, photo.size()), saliency);
    if (!cv::imwrite(arguments.overlay.string(), picture))
        throw Refusal(arguments.overlay.string() + " cannot be written");

    const Json& labels = description.at("labels");
    std::cout << (labels.is_null() ? "class " + std::to_string(chosen)
                                   : labels.at(static_cast<size_t>(chosen)).get<std::string>());
    if (description.at("scores").at("probabilities") != "rank")
        std::cout << ' ' << std::fixed << std::setprecision(3) << probability.at(chosen);
    const size_t highest = static_cast<size_t>(std::max_element(values.begin(), values.end()) - values.begin());
    std::cout << ": highest at row " << highest / columns << " of " << rows << ", column " << highest % columns
              << " of " << columns << "\n";
}

int main(int count, char** values) {
    try {
        run(parse(count, values));
    } catch (const std::exception& error) {
        std::cerr << error.what() << "\n";
        return 1;
    }
    return 0;
}
