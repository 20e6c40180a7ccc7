"""Choice lists of the registers: code → zh label. A test holds them equal to the forms' lists of the same name."""

PLACE_TYPE = {
    "committee": "村(居)委会", "checkpoint": "卡口/劝返点", "health_post": "卫生室/健康站", "lane": "街巷路面",
    "stairwell": "楼道电梯", "toilet": "公厕", "waste": "垃圾点/收集车", "market": "农贸市场/超市",
    "supply_point": "蔬菜供应点", "school": "学校", "nursing": "养老院", "bus": "公交/车辆",
    "isolation": "集中隔离点", "home_isolated": "居家隔离户", "enterprise": "企业", "office": "办公场所", "other": "其他",
}  # fmt: skip
IN_OUT = {"indoor": "室内", "outdoor": "室外", "vehicle": "车辆"}
SPECIAL_GROUP = {
    "dibao": "低保", "tekun": "特困供养(原五保/三无)", "poverty": "建档立卡贫困户", "low_margin": "低保边缘",
    "disabled": "残疾", "elder_alone": "独居老人", "elder_80": "80岁以上", "left_child": "留守/困境儿童",
    "pregnant": "孕产妇", "infant": "婴幼儿", "chronic": "慢病长期用药", "dialysis_chemo": "透析/放化疗",
    "severe_illness": "重病", "veteran": "优抚对象", "migrant": "外来务工",
}  # fmt: skip
ITEM = {
    "VEG_BOX": "蔬菜(箱)", "RICE_BAG": "大米(袋)", "FLOUR": "面粉", "OIL": "食用油", "MASK": "口罩", "SANITIZER": "消毒液",
    "ALCOHOL": "酒精", "THERMO": "体温计", "GLOVES": "手套", "FRUIT": "水果", "MEDICINE": "药品", "LEAFLET": "明白纸",
}  # fmt: skip
UNIT = {
    "box": "箱", "bag": "袋", "bucket": "桶", "bottle": "瓶", "l": "升", "ml": "毫升", "kg": "公斤", "jin": "斤(=0.5公斤)", "g": "克",
    "pc": "个", "piece": "只", "pack": "盒", "tablet": "片", "set": "份", "yuan": "元",
}  # fmt: skip
SUPPLY_POINT_KIND = {"supermarket": "超市", "village_shop": "小卖部", "market": "农贸市场"}
FILLER_ROLE = {
    "grid_volunteer": "网格志愿者", "village_cadre": "村（社区）干部", "checkpoint_staff": "卡口值守员",
    "village_doctor": "村医/卫生院", "police": "民警", "town_staff": "镇（街道）工作人员",
    "district_staff": "区级工作人员（指挥部）", "inspector": "督导员", "civil_affairs": "民政",
    "enterprise_liaison": "包企干部", "price_monitor": "价格监测员", "project_dept": "责任部门",
}  # fmt: skip
