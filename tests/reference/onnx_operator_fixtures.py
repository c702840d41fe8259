"""What ONNX Runtime computes of small graphs, one operator each: worker/tests/fixtures/onnx_operators.json.

    pip install onnx==1.23.2 onnxruntime==1.32.0
    python tests/reference/onnx_operator_fixtures.py

Graphs are stored as files of ONNX in base64, with inputs and ONNX Runtime's outputs. tests/onnx_reference.rs computes them anew.
"""

import base64
import json
from pathlib import Path

import numpy as np
import ml_dtypes
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

ML = "ai.onnx.ml"
MICROSOFT = "com.microsoft"
KINDS = {"float32": TensorProto.FLOAT, "float64": TensorProto.DOUBLE, "int64": TensorProto.INT64, "int32": TensorProto.INT32,
         "bool": TensorProto.BOOL, "object": TensorProto.STRING}
random = np.random.default_rng(0)
cases = []


def f32(*shape):
    return random.normal(size=shape).astype(np.float32)


def floats(*values):
    return np.array(values, dtype=np.float32)


def ints(*values):
    return np.array(values, dtype=np.int64)


def texts(*values):
    return np.array(values, dtype=object)


def case(name, op, inputs, outputs=1, domain="", opset=18, ml=3, constants=(), **attributes):
    """A graph of one node, of inputs, and of constants behind them."""
    inputs = [np.asarray(value) for value in inputs]
    constants = [None if value is None else np.asarray(value) for value in constants]
    names = [f"i{place}" for place in range(len(inputs))]
    fixed = [None if value is None else numpy_helper.from_array(value, f"c{place}") for place, value in enumerate(constants)]
    made = [f"o{place}" for place in range(outputs)]
    node = helper.make_node(op, names + ["" if value is None else value.name for value in fixed], made, name=name, domain=domain, **attributes)
    shaped = [helper.make_tensor_value_info(n, KINDS[str(v.dtype)], v.shape) for n, v in zip(names, inputs)]
    graph = helper.make_graph([node], name, shaped, [helper.make_empty_tensor_value_info(n) for n in made],
                              [value for value in fixed if value is not None])
    save(name, graph, inputs, opset, ml)


def save(name, graph, inputs, opset=18, ml=3):
    """What ONNX Runtime answers; 16-bit floats are stored as 32-bit ones."""
    names = [value.name for value in graph.input]
    sets = [helper.make_opsetid("", opset), helper.make_opsetid(ML, ml)]
    sets += [helper.make_opsetid(MICROSOFT, 1)] * any(node.domain == MICROSOFT for node in graph.node)
    file = helper.make_model(graph, ir_version=8, opset_imports=sets).SerializeToString()
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    answers = session.run(None, dict(zip(names, inputs)))
    cases.append({"name": name, "graph": base64.b64encode(file).decode(), "inputs": [stored(v) for v in inputs],
                  "outputs": [stored(np.asarray(v)) for v in answers]})


def stored(value):
    if str(value.dtype) in ("float16", "bfloat16"):
        value = value.astype(np.float32)
    kind = "object" if value.dtype.kind in "OU" else str(value.dtype)
    flat = value.reshape(-1).tolist()
    if value.dtype.kind == "f":
        flat = [v if np.isfinite(v) else repr(v) for v in flat]
    return {"kind": kind, "shape": list(value.shape), "values": flat}


def part(names, text):
    """Inputs and outputs of a graph within another: their types alone are known."""
    return [helper.make_tensor_value_info(name, text, None) for name in names]


X = floats(-3, -1.5, -0.5, 0, 0.25, 1, 2.5, 40).reshape(2, 4)
POSITIVE = floats(0.1, 0.5, 1, 2, 3.5, 100).reshape(2, 3)
for op in ["Exp", "Floor", "Ceil", "Round", "Sigmoid", "Tanh", "Sin", "Cos", "Atan", "Erf", "Softplus", "Softsign", "LeakyRelu", "Elu", "Selu",
           "ThresholdedRelu", "HardSigmoid", "HardSwish", "Neg", "Abs", "Sign", "Relu", "Celu", "Mish"]:
    case(op.lower(), op, [X])
case("gelu", "Gelu", [X], opset=20)
case("gelu_tanh", "Gelu", [X], opset=20, approximate="tanh")
for op in ["Sqrt", "Log", "Reciprocal"]:
    case(op.lower(), op, [POSITIVE])
case("sqrt_double", "Sqrt", [POSITIVE.astype(np.float64)])
case("neg_int", "Neg", [ints(-3, 0, 7)])
A, B = f32(2, 3), f32(2, 3)
for op in ["Add", "Sub", "Mul", "Div", "Min", "Max", "Pow"]:
    case(f"{op.lower()}_row", op, [np.abs(A), f32(3)])
    case(f"{op.lower()}_column", op, [np.abs(A), f32(2, 1)])
    case(f"{op.lower()}_scalar", op, [np.abs(A), np.float32(2.0).reshape(())])
case("add_outer", "Add", [f32(2, 1, 3), f32(4, 1)])
case("div_int", "Div", [ints(7, -7, 9), ints(2, 2, -4)])
case("mod_int", "Mod", [ints(7, -7, 9), ints(2, 2, -4)])
case("mod_float", "Mod", [floats(7.5, -7.5), floats(2, 2)], fmod=1)
case("pow_mixed", "Pow", [np.abs(A), ints(2)])
case("sum", "Sum", [A, B, A])
case("mean", "Mean", [A, B, A])
case("prelu", "PRelu", [A, floats(0.1, 0.2, 0.3)])
for op in ["Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual"]:
    case(op.lower(), op, [ints(1, 2, 3), ints(2, 2, 2)])
    case(f"{op.lower()}_nan", op, [floats(1, np.nan, 3), floats(2, 2, np.nan)])
case("equal_text", "Equal", [texts("a", "b"), texts("a", "c")], opset=19)
TRUE = np.array([True, False, True, False])
OTHER = np.array([True, True, False, False])
for op in ["And", "Or", "Xor"]:
    case(op.lower(), op, [TRUE, OTHER])
case("not", "Not", [TRUE])
case("isnan", "IsNaN", [floats(1, np.nan, np.inf)])
case("isinf", "IsInf", [floats(1, np.nan, np.inf, -np.inf)], opset=10, detect_negative=0)
case("where", "Where", [np.array([[True], [False]]), A, f32(3)])
case("where_text", "Where", [TRUE, texts("a", "b", "c", "d"), texts("x")])
case("clip", "Clip", [X], constants=[np.float32(-1).reshape(()), np.float32(2).reshape(())])
case("clip_min", "Clip", [X], constants=[np.float32(-1).reshape(())])
case("clip_old", "Clip", [X], opset=7, ml=1, min=-1.0, max=2.0)
case("identity_text", "Identity", [texts("a", "b")])
case("dropout", "Dropout", [A])
case("reshape", "Reshape", [f32(2, 3, 4)], constants=[ints(0, -1)])
case("flatten", "Flatten", [f32(2, 3, 4)], axis=1)
case("flatten_0", "Flatten", [f32(2, 3)], axis=0)
case("squeeze", "Squeeze", [f32(2, 1, 3, 1)], constants=[ints(1)])
case("squeeze_all", "Squeeze", [f32(2, 1, 3, 1)])
case("squeeze_old", "Squeeze", [f32(2, 1, 3)], opset=11, axes=[1])
case("unsqueeze", "Unsqueeze", [f32(2, 3)], constants=[ints(0, -1)])
case("unsqueeze_old", "Unsqueeze", [f32(2, 3)], opset=11, axes=[1])
case("transpose", "Transpose", [f32(2, 3, 4)], perm=[2, 0, 1])
case("transpose_plain", "Transpose", [f32(2, 3)])
case("expand", "Expand", [f32(3, 1)], constants=[ints(2, 1, 4)])
case("tile", "Tile", [f32(2, 3)], constants=[ints(2, 3)])
case("concat", "Concat", [f32(2, 1), f32(2, 3)], axis=1)
case("concat_0", "Concat", [f32(1, 3), f32(2, 3)], axis=-2)
case("concat_text", "Concat", [texts("a", "b").reshape(2, 1), texts("c", "d").reshape(2, 1)], axis=1)
case("split", "Split", [f32(2, 6)], outputs=3, axis=1, num_outputs=3)
case("split_parts", "Split", [f32(2, 6)], outputs=2, constants=[ints(2, 4)], axis=1)
case("split_old", "Split", [f32(2, 6)], outputs=2, opset=11, axis=1, split=[1, 5])
case("slice", "Slice", [f32(4, 5)], constants=[ints(1, -1), ints(3, -5), ints(0, 1), ints(1, -2)])
case("slice_far", "Slice", [f32(4, 5)], constants=[ints(-100), ints(2**62), ints(1)])
case("slice_old", "Slice", [f32(4, 5)], opset=9, starts=[1, 0], ends=[3, -1])
case("trilu", "Trilu", [f32(3, 4)], constants=[np.array(1, dtype=np.int64)], upper=1)
case("trilu_lower", "Trilu", [f32(3, 4)], upper=0)
case("shape", "Shape", [f32(2, 3, 4)], start=1)
case("size", "Size", [f32(2, 3)])
case("constant_of_shape", "ConstantOfShape", [ints(2, 2)], value=helper.make_tensor("v", TensorProto.INT64, [1], [7]))
case("range", "Range", [np.array(1, dtype=np.int64), np.array(8, dtype=np.int64), np.array(3, dtype=np.int64)])
case("gather", "Gather", [f32(3, 4)], constants=[ints(2, -3)], axis=0)
case("gather_columns", "Gather", [f32(3, 4)], constants=[ints(1, 1, 0).reshape(1, 3)], axis=1)
case("gather_elements", "GatherElements", [f32(2, 3), ints(0, 2, 1, -1).reshape(2, 2)], axis=1)
case("gather_nd", "GatherND", [f32(2, 3, 2), ints(0, 1, 1, 2).reshape(2, 2)])
case("one_hot", "OneHot", [ints(0, 2, -1), np.array(3, dtype=np.int64), floats(0, 5)])
case("one_hot_axis", "OneHot", [ints(0, 2), np.array(3, dtype=np.int64), floats(1, 2)], axis=0)
case("compress", "Compress", [f32(3, 2), np.array([True, False, True])], axis=0)
case("argmax", "ArgMax", [floats(1, 3, 3, 0, 5, 5).reshape(2, 3)], axis=1, keepdims=0)
case("argmax_last", "ArgMax", [floats(1, 3, 3, 0, 5, 5).reshape(2, 3)], axis=1, select_last_index=1)
case("argmin", "ArgMin", [floats(1, 3, 1, 0, 5, 0).reshape(2, 3)], axis=0)
case("topk", "TopK", [floats(1, 3, 3, 0, 5, 5).reshape(2, 3)], outputs=2, constants=[ints(2)], axis=1)
case("topk_smallest", "TopK", [f32(3, 5)], outputs=2, constants=[ints(3)], axis=-1, largest=0)
case("cumsum", "CumSum", [f32(2, 4)], constants=[np.array(1, dtype=np.int64)], exclusive=1, reverse=1)
for op in ["ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceSumSquare", "ReduceLogSumExp"]:
    case(op.lower(), op, [f32(2, 3, 4)], constants=[ints(1)], keepdims=0)
    case(f"{op.lower()}_old", op, [f32(2, 3, 4)], opset=13, axes=[0, -1])
case("reducesum", "ReduceSum", [f32(2, 3, 4)], constants=[ints(-1)])
case("reducesum_all", "ReduceSum", [ints(1, 2, 3)], keepdims=0)
case("reducesum_none", "ReduceSum", [f32(2, 2)], noop_with_empty_axes=1)
case("matmul", "MatMul", [f32(3, 4), f32(4, 2)])
case("matmul_list", "MatMul", [f32(4), f32(4, 2)])
case("matmul_blocks", "MatMul", [f32(2, 1, 3, 4), f32(5, 4, 2)])
case("gemm", "Gemm", [f32(3, 4), f32(2, 4), f32(2)], transB=1, alpha=0.5, beta=2.0)
case("gemm_turned", "Gemm", [f32(4, 3), f32(4, 2)], transA=1)
case("softmax", "Softmax", [f32(2, 3, 4)], axis=1)
case("softmax_old", "Softmax", [f32(2, 3, 4)], opset=11)
case("logsoftmax", "LogSoftmax", [f32(2, 5)])
case("batch_normalization", "BatchNormalization", [f32(2, 3, 2)], constants=[f32(3), f32(3), f32(3), np.abs(f32(3))])
case("layer_normalization", "LayerNormalization", [f32(2, 3)], constants=[f32(3), f32(3)])
case("cast_int", "Cast", [floats(1.9, -1.9, 0)], to=TensorProto.INT64)
case("cast_text", "Cast", [ints(1, -20)], to=TensorProto.STRING)
case("cast_text_float", "Cast", [floats(1, 0.5, -2.25)], to=TensorProto.STRING)
case("cast_from_text", "Cast", [texts("1.5", "-2")], to=TensorProto.FLOAT)
case("cast_bool", "Cast", [floats(0, 0.5)], to=TensorProto.BOOL)

case("scaler", "Scaler", [f32(3, 2)], domain=ML, offset=[1.0, 2.0], scale=[0.5, 3.0])
case("scaler_one", "Scaler", [ints(1, 2, 3, 4).reshape(2, 2)], domain=ML, offset=[1.0], scale=[0.5])
case("imputer", "Imputer", [floats(1, np.nan, np.nan, 4).reshape(2, 2)], domain=ML, imputed_value_floats=[7.0, 8.0], replaced_value_float=float("nan"))
case("imputer_value", "Imputer", [floats(1, -9, -9, 4).reshape(2, 2)], domain=ML, imputed_value_floats=[7.0], replaced_value_float=-9.0)
case("imputer_int", "Imputer", [ints(1, -9, -9, 4).reshape(2, 2)], domain=ML, imputed_value_int64s=[7, 8], replaced_value_int64=-9)
for norm in ["MAX", "L1", "L2"]:
    case(f"normalizer_{norm.lower()}", "Normalizer", [f32(3, 4)], domain=ML, norm=norm)
case("binarizer", "Binarizer", [X], domain=ML, threshold=0.5)
case("feature_vectorizer", "FeatureVectorizer", [f32(2, 2), f32(2, 3)], domain=ML, inputdimensions=[2, 3])
case("array_feature_extractor", "ArrayFeatureExtractor", [f32(3, 4)], domain=ML, constants=[ints(3, 1)])
case("array_feature_extractor_list", "ArrayFeatureExtractor", [texts("a", "b", "c")], domain=ML, constants=[ints(2, 0, 1)])
case("one_hot_encoder", "OneHotEncoder", [texts("b", "x", "a").reshape(3, 1)], domain=ML, cats_strings=["a", "b"], zeros=1)
case("one_hot_encoder_int", "OneHotEncoder", [ints(5, 6, 7)], domain=ML, cats_int64s=[7, 5], zeros=1)
case("one_hot_encoder_float", "OneHotEncoder", [floats(5, 6, 7)], domain=ML, cats_int64s=[7, 5], zeros=1)
case("label_encoder", "LabelEncoder", [texts("b", "x")], domain=ML, keys_strings=["a", "b"], values_int64s=[10, 20], default_int64=-5)
case("label_encoder_back", "LabelEncoder", [ints(1, 2, 9)], domain=ML, keys_int64s=[1, 2], values_strings=["a", "b"], default_string="?")
case("label_encoder_float", "LabelEncoder", [floats(1, np.nan, 3)], domain=ML, keys_floats=[1.0, float("nan")], values_floats=[5.0, 6.0], default_float=0.5)
case("label_encoder_first", "LabelEncoder", [texts("b", "x")], domain=ML, ml=1, classes_strings=["a", "b"], default_int64=-5)
case("label_encoder_nan", "LabelEncoder", [floats(1, np.nan, 3)], domain=ML, ml=4, keys_floats=[1.0, float("nan")], values_floats=[5.0, 6.0], default_float=0.5)
case("label_encoder_tensor", "LabelEncoder", [texts("b", "x")], domain=ML, ml=4, keys_tensor=helper.make_tensor("k", TensorProto.STRING, [2], ["a", "b"]),
     values_tensor=helper.make_tensor("v", TensorProto.DOUBLE, [2], [1.5, 2.5]), default_tensor=helper.make_tensor("d", TensorProto.DOUBLE, [1], [9.0]))
case("string_normalizer", "StringNormalizer", [texts("Bern", "ZÜRICH")], case_change_action="NONE", is_case_sensitive=1)
# Plain letters alone: ONNX Runtime changes letter by letter, of a language of the machine's.
for action in ["LOWER", "UPPER"]:
    case(f"string_normalizer_{action.lower()}", "StringNormalizer", [texts("Bern", "b 1")], case_change_action=action, locale="C.UTF-8")
STOPS = texts("Bern", "the", "The", "a")
for name, shape, exact, action in [("exact", 4, 1, "UPPER"), ("any", 4, 0, "LOWER"), ("row", (1, 4), 1, "NONE")]:
    # Behind an operator that has other rows, as a list of words is no list of rows.
    node = helper.make_node("StringNormalizer", ["i1"], ["o0"], stopwords=["tHe", "a"] if exact == 0 else ["the", "a"], is_case_sensitive=exact,
                            case_change_action=action, locale="C.UTF-8")
    first = helper.make_node("Identity", ["i0"], ["o1"])
    inputs = [helper.make_tensor_value_info("i0", TensorProto.FLOAT, [2]),
              helper.make_tensor_value_info("i1", TensorProto.STRING, np.empty(4).reshape(shape).shape)]
    graph = helper.make_graph([first, node], name, inputs, [helper.make_empty_tensor_value_info(n) for n in ("o0", "o1")])
    save(f"string_normalizer_stop_words_{name}", graph, [floats(1, 2), STOPS.reshape(shape)])
case("string_normalizer_nothing_left", "StringNormalizer", [texts("the")], stopwords=["the"], is_case_sensitive=1, locale="C.UTF-8")
SENTENCES = texts("ab abc a\tA1", "a\nb", "über x.y, wörter", "...", "x")
# Each has a row with the most tokens alone: what stands where a row has fewer is the worker's own.
for place, (expression, least) in enumerate([("[a-zA-Z0-9_]+", 1), ("a|ab|b", 1), ("a?(ab)?", 1), (r"\w+", 2), (r"\b\w\w+\b", 1), (".", 1), ("[^x]", 1), ("x*", 1),
                                             (r"(?i)[a-b]+", 1), (r"\S+", 3), (r"[\w.]+", 1), (r"\D", 1)]):
    for row, text in enumerate(SENTENCES):
        case(f"tokenizer_expression_{place}_{row}", "Tokenizer", [texts(text)], domain=MICROSOFT, mark=0, pad_value="#", mincharnum=least, tokenexp=expression)
for place, (separators, least) in enumerate([([" "], 1), ([" ", "[.]", ","], 1), ([r"\s+"], 2), (["x*"], 1), (["", "b"], 1), ([""], 1), (["b|bc"], 1)]):
    for row, text in enumerate(SENTENCES):
        case(f"tokenizer_separators_{place}_{row}", "Tokenizer", [texts(text)], domain=MICROSOFT, mark=0, pad_value="#", mincharnum=least,
             separators=separators)
for name, how in [("signs", {"separators": [""]}), ("separators", {"separators": [" "]}), ("expression", {"tokenexp": "[a-z]+"})]:
    case(f"tokenizer_marks_{name}", "Tokenizer", [texts("ab cd")], domain=MICROSOFT, mark=1, pad_value="#", mincharnum=1, **how)
case("tokenizer_matrix", "Tokenizer", [texts("ab cd", "x y", "u v", "w z").reshape(2, 2)], domain=MICROSOFT, mark=0, pad_value="#", mincharnum=1, separators=[" "])
case("tokenizer_nothing", "Tokenizer", [texts("", "  ")], domain=MICROSOFT, mark=0, pad_value="#", mincharnum=1, separators=[" "])
# Numbers of their own, so that a case more changes no other.
plain, random = random, np.random.default_rng(1)
GRAMS = {"min_gram_length": 1, "max_gram_length": 2, "max_skip_count": 0, "ngram_counts": [0, 3], "ngram_indexes": [2, 0, 1, 5, 3]}
POOL = ["a", "b", "c", "a", "b", "b", "c"]
WORDS = texts("a", "b", "c", "a", "b", "c", "z", "a", "a", "a").reshape(2, 5)
WEIGHTS = [1.5, 2.0, 0.5, 4.0, 5.0]
for mode in ["TF", "IDF", "TFIDF"]:
    case(f"ngrams_{mode.lower()}", "TfIdfVectorizer", [WORDS], mode=mode, pool_strings=POOL, **GRAMS)
    case(f"ngrams_{mode.lower()}_weights", "TfIdfVectorizer", [WORDS], mode=mode, pool_strings=POOL, weights=WEIGHTS, **GRAMS)
    case(f"ngrams_{mode.lower()}_one_column", "TfIdfVectorizer", [WORDS], mode=mode, pool_strings=POOL, weights=WEIGHTS,
         **{**GRAMS, "ngram_indexes": [2, 2, 1, 0, 0]})
for skip in [1, 3]:
    for least in [1, 2]:
        case(f"ngrams_skip_{skip}_from_{least}", "TfIdfVectorizer", [WORDS], mode="TF", pool_strings=POOL, **{**GRAMS, "max_skip_count": skip, "min_gram_length": least})
case("ngrams_one_word", "TfIdfVectorizer", [WORDS], mode="TF", pool_strings=POOL, **{**GRAMS, "max_gram_length": 1})
case("ngrams_list", "TfIdfVectorizer", [WORDS[0]], mode="TF", pool_strings=POOL, **GRAMS)
case("ngrams_three", "TfIdfVectorizer", [WORDS], mode="TF", pool_strings=["a", "b", "c", "c", "a", "b"], min_gram_length=3, max_gram_length=3, max_skip_count=1,
     ngram_counts=[0, 0, 0], ngram_indexes=[0, 1])
for kind in (np.int64, np.int32):
    case(f"ngrams_{np.dtype(kind)}", "TfIdfVectorizer", [np.array([[1, 2, 3, 1, 2], [3, 9, 1, 1, 1]], dtype=kind)], mode="TF", pool_int64s=[1, 2, 3, 1, 2, 2, 3], **GRAMS)
case("ngrams_of_nothing", "TfIdfVectorizer", [np.empty((2, 0), dtype=object)], mode="TF", pool_strings=POOL, **GRAMS)
for place, (equation, shapes) in enumerate([("ij,jk->ik", [(2, 3), (3, 4)]), ("bij,bkj->bik", [(2, 3, 4), (2, 5, 4)]), ("i,j->ij", [(2,), (3,)]), ("ij->ji", [(2, 3)]),
                                            ("ij->", [(2, 3)]), ("ii->i", [(3, 3)]), ("ij , jk", [(2, 3), (3, 4)]), ("ij,ij->i", [(2, 3), (2, 3)]), ("bhid,bhjd->bhij", [(1, 2, 3, 4), (1, 2, 5, 4)]),
                                            ("ba", [(2, 3)])]):
    case(f"einsum_{place}", "Einsum", [f32(*shape) for shape in shapes], equation=equation)
for axis in [0, 1, -1]:
    for power in [1, 2]:
        case(f"lp_normalization_{power}_axis_{axis}", "LpNormalization", [np.vstack([f32(2, 3), floats(0, 0, 0).reshape(1, 3)])], axis=axis, p=power)
case("einsum_double", "Einsum", [f32(2, 3).astype(np.float64), f32(3, 2).astype(np.float64)], equation="ij,jk->ik")
case("einsum_int", "Einsum", [ints(1, 2, 3), ints(4, 5, 6)], equation="i,i->")
HALVES = floats(1 / 3, 65519, 65520, 1e-7, 3e-8, -2.0004883, 1.0009765, np.inf, np.nan, -0.0)
for name, kind in [("half", TensorProto.FLOAT16), ("brain", TensorProto.BFLOAT16)]:
    rounding = [helper.make_node("Cast", ["i0"], ["rounded"], to=kind), helper.make_node("Cast", ["rounded"], ["o0"], to=TensorProto.FLOAT)]
    shaped = helper.make_tensor_value_info("i0", TensorProto.FLOAT, HALVES.shape)
    save(f"cast_{name}", helper.make_graph(rounding, name, [shaped], [helper.make_tensor_value_info("o0", TensorProto.FLOAT, None)]), [HALVES])
    for raw in (True, False):
        values = np.array([0.1, -3.0, 1e-6], dtype=np.float16 if kind == TensorProto.FLOAT16 else ml_dtypes.bfloat16)
        stored_values = values.tobytes() if raw else values.astype(np.float32)
        constant = helper.make_tensor("c0", kind, [3], stored_values, raw=raw)
        nodes = [helper.make_node("Cast", ["c0"], ["whole"], to=TensorProto.FLOAT), helper.make_node("Add", ["i0", "whole"], ["o0"])]
        shaped = helper.make_tensor_value_info("i0", TensorProto.FLOAT, [3])
        made = helper.make_tensor_value_info("o0", TensorProto.FLOAT, None)
        save(f"constant_{name}_{'raw' if raw else 'listed'}", helper.make_graph(nodes, name, [shaped], [made], [constant]), [floats(0, 0, 0)])
# A state, and each part's own: running sums, and distances to rows.
for name, nodes, states, taken, inputs in [
        ("sums", [("Add", ["s", "x"], ["t"]), ("Mul", ["t", "x"], ["y"])], ["s"], ["x"], [floats(1, 2), f32(3, 2)]),
        ("distances", [("Identity", ["s"], ["t"]), ("Sub", ["s", "x"], ["d"]), ("Abs", ["d"], ["y"])], ["s"], ["x"], [f32(4, 2), f32(3, 2)]),
        ("two_inputs", [("Add", ["a", "x"], ["y"])], [], ["a", "x"], [f32(3, 2), f32(3, 2)])]:
    body = helper.make_graph([helper.make_node(*node) for node in nodes], "body", part(states + taken, TensorProto.FLOAT),
                             part(["t"] * len(states) + ["y"], TensorProto.FLOAT))
    outputs = [f"o{place}" for place in range(len(states) + 1)]
    node = helper.make_node("Scan", [f"i{place}" for place in range(len(inputs))], outputs, body=body, num_scan_inputs=len(taken))
    shaped = [helper.make_tensor_value_info(f"i{place}", TensorProto.FLOAT, value.shape) for place, value in enumerate(inputs)]
    save(f"scan_{name}", helper.make_graph([node], name, shaped, [helper.make_empty_tensor_value_info(n) for n in outputs]), inputs)
random = plain
case("linear_regressor", "LinearRegressor", [f32(4, 3)], domain=ML, coefficients=[0.5, -1.0, 2.0, 1.0, 1.0, 1.0], intercepts=[0.25, 1.0], targets=2)
for post in ["NONE", "LOGISTIC", "SOFTMAX"]:
    case(f"linear_classifier_{post.lower()}", "LinearClassifier", [f32(6, 2)], 2, domain=ML, coefficients=[0.5, -1.0, 2.0, 1.0, -1.0, 0.2],
         intercepts=[0.25, 0.0, 0.1], classlabels_strings=["x", "y", "z"], post_transform=post)
    case(f"linear_classifier_one_{post.lower()}", "LinearClassifier", [f32(6, 2)], 2, domain=ML, coefficients=[0.5, -1.0],
         intercepts=[0.1], classlabels_ints=[4, 5], post_transform=post)


def forest(kind, trees, weights, extra):
    """Trees of a depth of one: column, mode, threshold, and the leaves' numbers, target by target."""
    nodes = {"nodes_treeids": [], "nodes_nodeids": [], "nodes_featureids": [], "nodes_modes": [], "nodes_values": [], "nodes_truenodeids": [],
             "nodes_falsenodeids": [], "nodes_missing_value_tracks_true": []}
    leaves = {f"{kind}_treeids": [], f"{kind}_nodeids": [], f"{kind}_ids": [], f"{kind}_weights": []}
    for tree, (column, mode, threshold, missing) in enumerate(trees):
        for node in range(3):
            nodes["nodes_treeids"].append(tree)
            nodes["nodes_nodeids"].append(node)
            nodes["nodes_featureids"].append(column if node == 0 else 0)
            nodes["nodes_modes"].append(mode if node == 0 else "LEAF")
            nodes["nodes_values"].append(threshold if node == 0 else 0.0)
            nodes["nodes_truenodeids"].append(1 if node == 0 else 0)
            nodes["nodes_falsenodeids"].append(2 if node == 0 else 0)
            nodes["nodes_missing_value_tracks_true"].append(missing if node == 0 else 0)
        for node, by_target in zip((1, 2), weights[tree]):
            for target, weight in by_target:
                leaves[f"{kind}_treeids"].append(tree)
                leaves[f"{kind}_nodeids"].append(node)
                leaves[f"{kind}_ids"].append(target)
                leaves[f"{kind}_weights"].append(weight)
    return {**nodes, **leaves, **extra}


ROWS = np.vstack([f32(12, 2), floats(np.nan, 0.5, 0.25, np.nan, 0.25, 0.5).reshape(3, 2)])
MODES = ["BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ"]
for mode in MODES:
    case(f"trees_{mode.lower()}", "TreeEnsembleRegressor", [ROWS], domain=ML,
         **forest("target", [(0, mode, 0.25, 1), (1, mode, 0.5, 0)], [[[(0, 1.5)], [(0, -2.0)]], [[(0, 0.25)], [(0, 4.0)]]], {"n_targets": 1, "base_values": [10.0]}))
TWO = [(0, "BRANCH_LEQ", 0.25, 0), (1, "BRANCH_LEQ", 0.5, 1)]
for aggregate in ["SUM", "AVERAGE", "MIN", "MAX"]:
    case(f"trees_{aggregate.lower()}", "TreeEnsembleRegressor", [ROWS], domain=ML, **forest(
        "target", TWO, [[[(0, 1.5), (1, 3.0)], [(0, -2.0)]], [[(0, 0.25)], [(1, 4.0)]]], {"n_targets": 2, "aggregate_function": aggregate}))
THREE = [[[(0, 0.2), (1, 0.8)], [(2, 1.0)]], [[(1, 0.6), (2, 0.4)], [(0, 1.0)]]]
for post in ["NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO"]:
    case(f"tree_classes_{post.lower()}", "TreeEnsembleClassifier", [ROWS], 2, domain=ML,
         **forest("class", TWO, THREE, {"classlabels_strings": ["x", "y", "z"], "post_transform": post}))
case("tree_classes_base", "TreeEnsembleClassifier", [ROWS], 2, domain=ML,
     **forest("class", TWO, THREE, {"classlabels_int64s": [5, 6, 7], "base_values": [0.5, 0.1, 0.0]}))
# Two classes with leaves of each are left out: ONNX Runtime answers the second whenever its score is above 0, and no converter writes that.
POSITIVE_ONE = [[[(1, 0.3)], [(1, 0.1)]], [[(1, 0.4)], [(1, 0.1)]]]
SIGNED_ONE = [[[(1, 0.3)], [(1, -0.5)]], [[(1, 0.4)], [(1, -0.1)]]]
FIRST_ONE = [[[(0, 0.3)], [(0, -0.5)]], [[(0, 0.4)], [(0, -0.1)]]]
for post in ["NONE", "SOFTMAX", "LOGISTIC"]:
    for name, weights in [("positive", POSITIVE_ONE), ("signed", SIGNED_ONE), ("first", FIRST_ONE)]:
        case(f"tree_two_{name}_{post.lower()}", "TreeEnsembleClassifier", [ROWS], 2, domain=ML,
             **forest("class", TWO, weights, {"classlabels_int64s": [0, 1], "post_transform": post}))
        for count, base in enumerate([[0.2], [0.2, 0.05]], 1):
            case(f"tree_two_{name}_{post.lower()}_base_{count}", "TreeEnsembleClassifier", [ROWS], 2, domain=ML,
                 **forest("class", TWO, weights, {"classlabels_int64s": [0, 1], "post_transform": post, "base_values": base}))
case("tree_ensemble", "TreeEnsemble", [ROWS], domain=ML, ml=5, opset=21, n_targets=2, aggregate_function=1, post_transform=0, tree_roots=[0, 1],
     nodes_modes=helper.make_tensor("m", TensorProto.UINT8, [2], [0, 1]), nodes_featureids=[0, 1], nodes_splits=helper.make_tensor("s", TensorProto.FLOAT, [2], [0.25, 0.5]),
     nodes_truenodeids=[0, 2], nodes_trueleafs=[1, 1], nodes_falsenodeids=[1, 3], nodes_falseleafs=[1, 1], leaf_targetids=[0, 1, 0, 1],
     leaf_weights=helper.make_tensor("w", TensorProto.FLOAT, [4], [1.5, 2.5, -3.0, 4.0]))
# Sets of categories: the first tree asks for a set in both of its nodes, the second for one and then a threshold.
# ONNX Runtime has the numbers of SOFTMAX and LOGISTIC the other way round than the standard, so that neither is compared here.
for aggregate in range(4):
    for post in [0, 3]:
        case(f"tree_ensemble_sets_{aggregate}_{post}", "TreeEnsemble", [floats(1, 0.5, 2, 0, 3, 9, 7, -1, np.nan, 0.25, 0, np.nan).reshape(6, 2)], domain=ML, ml=5, opset=21, n_targets=2,
             aggregate_function=aggregate, post_transform=post, tree_roots=[0, 2], nodes_modes=helper.make_tensor("m", TensorProto.UINT8, [4], [6, 6, 6, 0]),
             nodes_featureids=[0, 0, 0, 1], nodes_splits=helper.make_tensor("s", TensorProto.FLOAT, [4], [0, 0, 0, 0.5]), nodes_missing_value_tracks_true=[0, 0, 1, 0],
             membership_values=helper.make_tensor("v", TensorProto.FLOAT, [9], [1, 3, np.nan, 2, 7, np.nan, 0, 9, np.nan]),
             nodes_truenodeids=[0, 1, 3, 4], nodes_trueleafs=[1, 1, 0, 1], nodes_falsenodeids=[1, 2, 3, 5], nodes_falseleafs=[0, 1, 1, 1], leaf_targetids=[0, 1, 0, 1, 0, 1],
             leaf_weights=helper.make_tensor("w", TensorProto.FLOAT, [6], [1.5, 2.5, -3.0, 4.0, 0.5, -1.0]))
VECTORS = [0.5, 1.0, -1.0, 0.25, 0.3, -0.6, 1.2, 0.1]
for kernel, parameters in [("LINEAR", [0.0, 0.0, 0.0]), ("RBF", [0.5, 0.0, 3.0]), ("POLY", [0.5, 1.0, 2.0]), ("SIGMOID", [0.5, 0.1, 3.0])]:
    case(f"svm_regressor_{kernel.lower()}", "SVMRegressor", [f32(5, 2)], domain=ML, kernel_type=kernel, kernel_params=parameters, n_supports=4,
         support_vectors=VECTORS, coefficients=[1.0, -0.5, 0.3, -0.8], rho=[0.2])
    case(f"svm_classifier_{kernel.lower()}", "SVMClassifier", [f32(9, 2)], 2, domain=ML, kernel_type=kernel, kernel_params=parameters,
         support_vectors=VECTORS, coefficients=[1.0, -0.5, 0.3, -0.8, 0.4, 0.1, -0.7, 0.2], rho=[0.2, -0.1, 0.05], vectors_per_class=[2, 1, 1],
         classlabels_ints=[3, 4, 5])
case("svm_one_class", "SVMRegressor", [f32(5, 2)], domain=ML, kernel_type="RBF", kernel_params=[0.5, 0.0, 3.0], n_supports=4, one_class=1,
     support_vectors=VECTORS, coefficients=[1.0, -0.5, 0.3, -0.8], rho=[-0.2])
case("svm_two", "SVMClassifier", [f32(9, 2)], 2, domain=ML, kernel_type="RBF", kernel_params=[0.5, 0.0, 3.0], support_vectors=VECTORS,
     coefficients=[1.0, -0.5, 0.3, -0.8], rho=[0.2], vectors_per_class=[2, 2], classlabels_ints=[3, 4])
case("svm_two_shares", "SVMClassifier", [f32(9, 2)], 2, domain=ML, kernel_type="RBF", kernel_params=[0.5, 0.0, 3.0], support_vectors=VECTORS,
     coefficients=[1.0, -0.5, 0.3, -0.8], rho=[0.2], vectors_per_class=[2, 2], classlabels_ints=[3, 4], prob_a=[-1.5], prob_b=[0.1])
case("svm_three_shares", "SVMClassifier", [f32(9, 2)], 2, domain=ML, kernel_type="RBF", kernel_params=[0.5, 0.0, 3.0], support_vectors=VECTORS,
     coefficients=[1.0, -0.5, 0.3, -0.8, 0.4, 0.1, -0.7, 0.2], rho=[0.2, -0.1, 0.05], vectors_per_class=[2, 1, 1], classlabels_ints=[3, 4, 5],
     prob_a=[-1.5, -1.0, -2.0], prob_b=[0.1, 0.0, -0.2])

target = Path(__file__).resolve().parents[2] / "worker/tests/fixtures/onnx_operators.json"
target.write_text("[\n" + ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases) + "\n]\n")
print(f"{len(cases)} cases in {target}")
